/** Every field of Query, Mutation and Subscription: the rights that it needs, and the users who are allowed them. */
import { getNamedType, isInputObjectType, isRequiredArgument, type GraphQLField } from 'graphql';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { allBut, type AccessCheck } from './comparison.ts';
import { GraphqlWorld, isForbidden, keyOf, required, verbOf, type Kind } from './graphql-schema.ts';
import type { Person } from './table.ts';
import type { AccessWorld } from './world.ts';

type Field = GraphQLField<unknown, unknown>;

/** Queries of fields that do not stand for a kind; each needs a row of the table. */
const ownFields: Readonly<Record<string, (id: string) => string>> = {
  node: (id) => `{ node(id: "${id}") { id } }`,
  nodes: (id) => `{ nodes(ids: ["${id}"]) { id } }`,
  viewer: () => '{ viewer { name } }',
  platform: () => '{ platform { version } }',
  rateLimit: () => '{ rateLimit { cost } }',
};

export async function queryQuestions(graphql: GraphqlWorld): Promise<readonly AccessCheck[]> {
  const { role } = await graphql.data<{ role: { id: string } }>('{ role(namespace: "shop", name: "seen") { id } }');
  return Object.values(graphql.schema.getQueryType()?.getFields() ?? {}).map((field) => {
    const own = ownFields[field.name];
    const { what, text } = own ? { what: `FIELD Query.${field.name} path`, text: own(role.id) } : readOf(graphql, field);
    return { engine: 'platform', needs: [what], where: `Query.${field.name}`, allowed: () => letInTo(graphql, text) };
  });
}

export const letInTo = (graphql: GraphqlWorld, text: string | undefined): Promise<readonly Person[] | undefined> =>
  text === undefined ? Promise.resolve(undefined) : allBut(async (person) => isForbidden(await graphql.query(person, text)));

/** The verb and kind that a field stands for, and its query. */
function readOf({ kinds }: GraphqlWorld, { name, args, type }: Field): { readonly what: string; readonly text: string | undefined } {
  const kind = kinds.get(getNamedType(type).name.replace(/Connection$/, ''));
  if (kind === undefined) return { what: `FIELD Query.${name} path`, text: undefined };
  if (args.some((arg) => arg.name === 'name')) return { what: verbOf('get', kind), text: `{ ${name}(${keyOf(kind)}) { id } }` };
  const within = kind.isNamespaced ? 'namespace: "shop", ' : '';
  return { what: verbOf('list', kind), text: `{ ${name}(${within}first: 1) { pageInfo { hasNextPage } } }` };
}

const accessVerbs: Readonly<Record<string, string>> = { create: 'create', update: 'patch', apply: 'patch', delete: 'delete' };

export function mutationQuestions(graphql: GraphqlWorld): readonly AccessCheck[] {
  return Object.values(graphql.schema.getMutationType()?.getFields() ?? {}).map((field) => {
    const meaning = mutationMeaning(field.name, graphql.kinds);
    const input = field.args.find(({ name }) => name === 'input')?.type;
    const isKnown = meaning !== undefined && input !== undefined && isInputObjectType(getNamedType(input));
    const rest = isKnown ? required(input, ['namespace', 'name', 'dryRun']) : '';
    const text = isKnown
      ? `mutation { ${field.name}(input: { ${keyOf(meaning.kind)}, dryRun: true${rest && `, ${rest}`} }) { userErrors { code } } }`
      : undefined;
    const allowed = async () => {
      const broken = text === undefined ? undefined : await graphql.query('administrator', text);
      if (broken?.includes('"userErrors"') === false) throw new Error(`Mutation.${field.name}: ${broken}`);
      return letInTo(graphql, text);
    };
    return { engine: 'platform', needs: [meaning?.what ?? `FIELD Mutation.${field.name} path`], where: `Mutation.${field.name}`, allowed };
  });
}

/** What a mutation stands for: a verb of a kind, or an action of a plugin. */
function mutationMeaning(name: string, kinds: ReadonlyMap<string, Kind>): { readonly what: string; readonly kind: Kind } | undefined {
  const typeName = [...kinds.keys()].filter((each) => name.endsWith(each)).toSorted((a, b) => b.length - a.length)[0] ?? '';
  const kind = kinds.get(typeName);
  if (kind === undefined) return undefined;
  const verb = name.slice(0, -typeName.length);
  const known = accessVerbs[verb];
  if (known !== undefined) return { kind, what: verbOf(known, kind) };
  const action = verb.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return { kind, what: verbOf('create', kind, `/${action}`) };
}

export function subscriptionQuestions({ world, schema, kinds }: GraphqlWorld): readonly AccessCheck[] {
  return Object.values(schema.getSubscriptionType()?.getFields() ?? {}).map(({ name, args }) => {
    const typeName = name === 'operationProgress' ? 'Operation' : name.charAt(0).toUpperCase() + name.slice(1).replace(/Changes$/, '');
    const kind = kinds.get(typeName);
    const what = kind === undefined ? `FIELD Subscription.${name} path` : verbOf('watch', kind);
    const text = subscriptionText(name, args);
    const allowed = () =>
      allBut(async (person) => {
        const heard = await firstMessage(world, person, text);
        if (heard === nothing || heard.includes('TAP_GRAPHQL_DOCUMENT_INVALID')) throw new Error(`Subscription.${name}: ${heard}`);
        return isForbidden(heard);
      });
    return { engine: 'platform', needs: [what], where: `Subscription.${name}`, allowed };
  });
}

const nothing = 'nothing was heard';
const heardMsMax = 60_000;

/** Arguments with which a subscription ends at once: a version that will never be reached, or an absent object. */
function subscriptionText(name: string, args: Field['args']): string {
  const has = (arg: string): boolean => args.some((each) => each.name === arg);
  const isOfOne = args.some((arg) => arg.name === 'name' && isRequiredArgument(arg));
  const given = [...(has('namespace') ? ['namespace: "shop"'] : []), ...(isOfOne ? ['name: "not-there"'] : ['since: "no-version"'])];
  const selection = isOfOne ? '__typename' : 'resourceVersion';
  return `subscription { ${name}(${given.join(', ')}) { ${selection} } }`;
}

/** What a subscriber hears first: an error, an end, or nothing for so long. */
async function firstMessage({ connection, headersFor }: AccessWorld, person: Person, text: string): Promise<string> {
  const headers = headersFor(person);
  const client = createClient({
    url: `${connection.server.replace('https:', 'wss:')}/graphql`,
    retryAttempts: 0,
    webSocketImpl: class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { headers, ca: connection.ca });
      }
    },
  });
  const heard = new Promise<string>((resolve) => {
    const received = (what: unknown): void => resolve(what instanceof Error ? what.message : JSON.stringify(what ?? 'end'));
    // A close is how who brings no credential is turned away.
    const failed = (what: unknown): void => (Array.isArray(what) ? received(what) : resolve('TAP_REQUEST_UNAUTHENTICATED'));
    client.subscribe({ query: text }, { next: received, error: failed, complete: () => received(undefined) });
    setTimeout(() => resolve(nothing), heardMsMax).unref();
  });
  try {
    return await heard;
  } finally {
    // It may have been turned away before it was connected: that was heard.
    await Promise.resolve(client.dispose()).catch(() => {});
  }
}

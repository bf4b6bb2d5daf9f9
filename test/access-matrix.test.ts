/** Every route and verb that a running platform serves, asked by six people: what the table says, and nothing that it does not know. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createClient } from 'graphql-ws';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { startPlatform, type Platform } from '../core/dist/platform.js';
import { systemClock } from '../core/dist/platform/system-clock.js';
import { createLog } from '../core/dist/telemetry/log.js';
import { people, whoMay, type Person, type Place } from './access-table.ts';
import { call, eventually, platformHome, type Connection } from './platform-process.ts';

const rbac = '/apis/rbac.authorization.k8s.io/v1';
const tenantHeader = 'impersonate-extra-tappaas.dev%2ftenant';
const absent = 'not-there';
/** Requests under way at once. */
const atOnceMax = 16;

const headersOf: Readonly<Record<Person, Readonly<Record<string, string>>>> = {
  anonymous: { authorization: '' },
  'other-tenant': { 'impersonate-user': 'rita', [tenantHeader]: 'rival' },
  viewer: { 'impersonate-user': 'vera', [tenantHeader]: 'acme' },
  developer: { 'impersonate-user': 'dora', [tenantHeader]: 'acme' },
  'tenant-admin': { 'impersonate-user': 'tom', [tenantHeader]: 'acme' },
  'platform-admin': { 'impersonate-user': 'paula' },
};

/** One thing to ask, and how to ask it so that it changes nothing. */
interface Question {
  readonly engine: 'platform' | 'cluster';
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  readonly type?: string;
}

interface Discovered {
  readonly items: readonly {
    readonly metadata: { readonly name?: string };
    readonly versions: readonly { readonly version: string; readonly resources: readonly DiscoveredResource[] }[];
  }[];
}

interface DiscoveredResource {
  readonly resource: string;
  readonly scope: string;
  readonly verbs: readonly string[];
  readonly subresources?: readonly { readonly subresource: string; readonly verbs: readonly string[] }[];
}

let platform: Platform;
let connection: Connection;
const undo: (() => Promise<unknown>)[] = [];

const ask = (person: Person | 'administrator', method: string, path: string, body?: object, type?: string) =>
  call(connection, method, path, body, type, person === 'administrator' ? {} : headersOf[person]);

test.before('a platform with two tenants runs', async (t) => {
  t.timeout(180_000);
  const home = await platformHome({
    api: { strangersPerMinuteMax: 1_000_000 },
    plugins: { roles: { use: '@tappaas/access-rbac' }, tokens: { use: '@tappaas/identity-token' } },
  });
  undo.push(() => home.remove());
  // Plugins take relative directories from where the process was started, and this one is the test's.
  const configFile = join(home.directory, 'tappaas.yaml');
  const config = await readFile(configFile, 'utf8');
  const absolute = config.replaceAll('"./data', `"${home.directory}/data`);
  await writeFile(configFile, absolute.replace('"api":{', '"api":{"graphqlIntrospection":true,'));
  platform = await startPlatform({
    configFile,
    directory: home.directory,
    clock: systemClock,
    random: Math.random,
    env: process.env,
    log: createLog({ write: () => {}, clock: systemClock, format: 'json', level: 'error' }),
    version: '0.1.0',
  });
  undo.push(() => platform.stop());
  connection = { server: platform.url, token: platform.firstToken ?? '', ca: await readFile(platform.authorityFile) };
  await setUp(t);
});

test.after.always('the platform is stopped', async () => {
  for (const stop of undo.toReversed()) await stop();
});

async function setUp(t: ExecutionContext): Promise<void> {
  const make = async (path: string, object: object): Promise<void> => {
    const { status, text } = await ask('administrator', 'POST', path, object);
    t.true(status === 201, text);
  };
  const namespace = (name: string, labels: object) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  const binding = (name: string, role: string, ...users: string[]) => ({
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: users.map((user) => ({ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' })),
  });
  await make('/api/v1/namespaces', namespace('shop', { 'tappaas.dev/tenant': 'acme' }));
  await make('/api/v1/namespaces', namespace('rival-shop', { 'tappaas.dev/tenant': 'rival' }));
  await make('/clusters/local/api/v1/namespaces', namespace('tappaas-shop', { 'tappaas.dev/namespace': 'shop' }));
  await make('/apis/platform.tappaas.dev/v1alpha1/tenants', { metadata: { name: 'acme' }, spec: {} });
  await make(`${rbac}/clusterrolebindings`, binding('tenant-admins', 'tenant-admin', 'tom', 'rita'));
  await make(`${rbac}/clusterrolebindings`, binding('platform-admins', 'platform-admin', 'paula'));
  await make(`${rbac}/namespaces/shop/rolebindings`, binding('viewers', 'viewer', 'vera'));
  await make(`${rbac}/namespaces/shop/rolebindings`, binding('developers', 'developer', 'dora'));
  const first: readonly [Person, string][] = [
    ['platform-admin', '/api/v1/nodes'],
    ['tenant-admin', `${rbac}/namespaces/shop/roles`],
    ['developer', '/api/v1/namespaces/shop/secrets'],
    ['viewer', '/api/v1/namespaces/shop/configmaps'],
  ];
  for (const [person, path] of first) {
    await eventually(
      () => ask(person, 'GET', path),
      ({ status }) => status !== 403,
    );
  }
}

const aggregated = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' };

async function objectQuestions(engine: Question['engine'], mount: string, namespace: string): Promise<readonly Question[]> {
  const documents = await Promise.all(
    ['/api', '/apis'].map((root) => call(connection, 'GET', `${mount}${root}`, undefined, undefined, aggregated)),
  );
  return documents
    .flatMap((document) => document.json<Discovered>().items)
    .flatMap(({ metadata: { name: group = '' }, versions }) =>
      versions.flatMap(({ version, resources }) => {
        const root = group === '' ? `${mount}/api/${version}` : `${mount}/apis/${group}/${version}`;
        return resources.flatMap((resource) => resourceQuestions({ engine, root, group, namespace }, resource));
      }),
    );
}

interface At {
  readonly engine: Question['engine'];
  readonly root: string;
  readonly group: string;
  readonly namespace: string;
}

/** Objects that the questions are about: there is one where only its owner may see that there is. */
const named: Readonly<Record<string, string>> = { '/namespaces': 'shop', 'platform.tappaas.dev/tenants': 'acme' };

function resourceQuestions(
  { engine, root, group, namespace }: At,
  { resource, scope, verbs, subresources = [] }: DiscoveredResource,
): readonly Question[] {
  const isNamespaced = scope === 'Namespaced';
  const own = engine === 'cluster' && resource === 'namespaces' ? namespace : (named[`${group}/${resource}`] ?? absent);
  const collection = isNamespaced ? `${root}/namespaces/${namespace}/${resource}` : `${root}/${resource}`;
  const place: Place = isNamespaced ? 'in' : 'cluster';
  const about = (verb: string, part: string, at: Place): string => `${verb} ${group}/${resource}${part} ${at}`;
  const asked = verbs.map((verb) => ({ engine, what: about(verb, '', place), ...requestFor(verb, collection, `${collection}/${own}`) }));
  const across = isNamespaced ? verbs.filter((verb) => verb === 'list' || verb === 'watch') : [];
  return [
    ...asked,
    ...across.map((verb) => ({ engine, what: about(verb, '', 'across'), ...requestFor(verb, `${root}/${resource}`, '') })),
    ...subresources.flatMap((part) =>
      part.verbs.map((verb) => {
        const path = `${collection}/${own}/${part.subresource}`;
        return { engine, what: about(verb, `/${part.subresource}`, place), ...requestFor(verb, path, path) };
      }),
    ),
  ];
}

/** A request that is refused for what it says, or finds nothing, once it is allowed: nothing is changed and no stream begins. */
function requestFor(verb: string, collection: string, object: string): Pick<Question, 'method' | 'path' | 'body' | 'type'> {
  const merge = 'application/merge-patch+json';
  switch (verb) {
    case 'get':
      return { method: 'GET', path: object };
    case 'list':
      return { method: 'GET', path: `${collection}?limit=1` };
    case 'watch':
      return { method: 'GET', path: `${collection}?watch=true&sendInitialEvents=true` };
    case 'create':
      return { method: 'POST', path: `${collection}?dryRun=All`, body: {} };
    case 'update':
      return { method: 'PUT', path: `${object}?dryRun=All`, body: {} };
    case 'patch':
      return { method: 'PATCH', path: `${object}?dryRun=All`, body: { metadata: { name: 'another' } }, type: merge };
    case 'delete':
      return { method: 'DELETE', path: `${object}?dryRun=All` };
    case 'deletecollection':
      return { method: 'DELETE', path: `${collection}?dryRun=All&labelSelector=none%3Dhas-it` };
    default:
      throw new Error(`the matrix does not know how to ask the verb ${verb}: add it to requestFor`);
  }
}

/** Answers who was let in. */
async function letIn(question: Question): Promise<readonly Person[]> {
  const refused = await Promise.all(
    people.map(async (person) => isRefused(await ask(person, question.method, question.path, question.body, question.type))),
  );
  return people.filter((_, index) => !refused[index]);
}

/** Who is let in may still be refused for what they want to write. */
function isRefused(answer: Awaited<ReturnType<typeof ask>>): boolean {
  const { status } = answer;
  return status === 401 || (status === 403 && answer.json<{ details?: { code?: string } }>().details?.code === 'TAP_REQUEST_FORBIDDEN');
}

async function compare(t: ExecutionContext, questions: readonly Question[]): Promise<void> {
  t.true(questions.length > 0);
  const problems: string[] = [];
  const left = questions.values();
  const worker = async (): Promise<void> => {
    for (const question of left) {
      const expected = whoMay(question.engine, question.what);
      const where = `${question.engine}: ${question.what} (${question.method} ${question.path})`;
      if (expected === undefined) {
        problems.push(`${where}: no row of test/access-table.ts knows it`);
        continue;
      }
      const found = await letIn(question);
      if (found.join() !== expected.join())
        problems.push(`${where}: expected ${expected.join(', ') || 'nobody'}; let in ${found.join(', ') || 'nobody'}`);
    }
  };
  await Promise.all(Array.from({ length: atOnceMax }, worker));
  t.deepEqual(problems.toSorted(), []);
}

test.serial('every verb of every kind of the platform lets in whom the table says', async (t) => {
  t.timeout(240_000);
  await compare(t, await objectQuestions('platform', '', 'shop'));
});

test.serial('every verb of every kind of a cluster lets in whom the table says', async (t) => {
  t.timeout(240_000);
  await compare(t, await objectQuestions('cluster', '/clusters/local', 'tappaas-shop'));
});

type Wire = 'UPGRADE' | 'ROOM';

/** What is asked where something is spoken over a WebSocket; nothing for what is not known here. */
const handshakes: Readonly<Record<string, { readonly path: string; readonly protocol?: string }>> = {
  '/graphql': { path: '/graphql', protocol: 'graphql-transport-ws' },
  '/socket.io/': { path: '/socket.io/?EIO=4&transport=websocket' },
  '/{objects}?watch=true': { path: '/api/v1/namespaces/shop/configmaps?watch=true' },
  ...Object.fromEntries(
    ['attach', 'exec', 'portforward'].map((part) => [
      `/clusters/local/{pods}/${part}`,
      {
        path: `/clusters/local/api/v1/namespaces/tappaas-shop/pods/${absent}/${part}?command=ls&stdout=true&ports=80`,
        protocol: 'v5.channel.k8s.io',
      },
    ]),
  ),
};

const rooms: Readonly<Record<string, object>> = {
  objects: { version: 'v1', plural: 'configmaps', namespace: 'shop' },
  events: { namespace: 'shop' },
  operations: { namespace: 'shop' },
  logs: { namespace: 'tappaas-shop', pod: absent, engine: 'local' },
  metrics: { names: ['process_cpu_seconds_total'] },
};

const headersFor = (person: Person): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${connection.token}`,
  ...headersOf[person],
});

function withoutEmpty(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));
}

/** Whether the handshake is refused for who asks; what else is wrong with it is no matter of access. */
async function isTurnedAway(person: Person, { path, protocol }: { readonly path: string; readonly protocol?: string }): Promise<boolean> {
  const url = `${connection.server.replace('https:', 'wss:')}${path}`;
  const socket = new WebSocket(url, protocol === undefined ? [] : [protocol], {
    ca: connection.ca,
    headers: withoutEmpty(headersFor(person)),
  });
  try {
    const status = await new Promise<number>((resolve, reject) => {
      socket.once('open', () => resolve(101));
      socket.once('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
      socket.once('error', reject);
    });
    return status === 401 || status === 403;
  } finally {
    socket.on('error', () => {});
    socket.terminate();
  }
}

async function isKeptOut(person: Person, topic: string): Promise<boolean> {
  const socket = io(connection.server, {
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    ca: connection.ca.toString(),
    extraHeaders: withoutEmpty(headersFor(person)),
  });
  try {
    const isIn = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('connect_error', () => resolve(false));
    });
    if (!isIn) return true;
    const { error }: { error?: { code: number } } = await socket.emitWithAck('join', { topic, ...rooms[topic] });
    return error?.code === 401 || error?.code === 403;
  } finally {
    socket.disconnect();
  }
}

test.serial('everything that is spoken over a WebSocket, and every room, lets in whom the table says', async (t) => {
  t.timeout(120_000);
  const problems: string[] = [];
  const served = platform.paths().filter((text) => /^(UPGRADE|ROOM) /.test(text));
  t.true(served.length > 5);
  for (const text of served) {
    const expected = whoMay('platform', `${text} path`);
    const [wire, what] = text.split(' ') as [Wire, string];
    const handshake = handshakes[what];
    if (expected === undefined || (wire === 'UPGRADE' ? handshake === undefined : rooms[what] === undefined)) {
      problems.push(`${text}: the matrix does not know it`);
      continue;
    }
    const refused = await Promise.all(
      people.map((person) => (wire === 'ROOM' || handshake === undefined ? isKeptOut(person, what) : isTurnedAway(person, handshake))),
    );
    const found = people.filter((_, index) => !refused[index]);
    if (found.join() !== expected.join()) problems.push(`${text}: expected ${expected.join(', ')}; let in ${found.join(', ') || 'nobody'}`);
  }
  t.deepEqual(problems, []);
});

/** What to ask of patterns and of paths that take more than GET; what is not here and no route of a plugin is asked by GET. */
const samples: Readonly<Record<string, readonly string[]>> = {
  [String(/^\/apis?\/./)]: [],
  [String(/^\/plugins\/./)]: [],
  [String(/^\/apis?$/)]: ['GET /api', 'GET /apis'],
  [String(/^\/apis?\/.+[^/]$/)]: ['GET /api/v1', 'GET /apis/apps.tappaas.dev', 'GET /apis/apps.tappaas.dev/v1alpha1'],
  [String(/^\/openapi\/v3\/.+[^/]$/)]: ['GET /openapi/v3/api/v1'],
  '/graphql': ['GET /graphql', 'POST /graphql'],
};

function samplesOf(text: string): readonly string[] {
  if (/^(GET|POST|PUT|DELETE) /.test(text)) return [text.replaceAll(/:\w+/g, absent)];
  return samples[text] ?? [text.startsWith('/^') ? `a pattern that samples does not know: ${text}` : `GET ${text}`];
}

test.serial('every path that is not about objects lets in whom the table says', async (t) => {
  t.timeout(120_000);
  const questions = platform
    .paths()
    .filter((text) => !/^(UPGRADE|ROOM) /.test(text))
    .flatMap(samplesOf)
    .map((text): Question => {
      const [method = '', path = ''] = text.split(' ');
      return { engine: 'platform', what: `${text} path`, method, path, ...(method === 'POST' && { body: {} }) };
    });
  await compare(t, questions);
});

interface QueryField {
  readonly name: string;
  readonly args: readonly { readonly name: string }[];
  readonly type: GraphqlType;
}

interface GraphqlType {
  readonly name: string | null;
  readonly kind: string;
  readonly ofType?: GraphqlType | null;
}

/** How fields are asked that do not stand for a kind; each needs a row of the table. */
const ownFields: Readonly<Record<string, () => Promise<string>>> = {
  node: async () => `{ node(id: "${await someId()}") { id } }`,
  nodes: async () => `{ nodes(ids: ["${await someId()}"]) { id } }`,
  viewer: async () => '{ viewer { name } }',
  platform: async () => '{ platform { version } }',
  rateLimit: async () => '{ rateLimit { cost } }',
};

/** The id of an object of tenant acme. */
async function someId(): Promise<string> {
  const { json } = await query('administrator', '{ role(namespace: "shop", name: "seen") { id } }');
  return (json as { data: { role: { id: string } } }).data.role.id;
}

const query = async (person: Person | 'administrator', text: string) => {
  const answer = await ask(person, 'POST', '/graphql', { query: text });
  return {
    status: answer.status,
    json: answer.json<{
      data?: { __schema: { queryType: { fields: readonly QueryField[] }; mutationType: MutationType; subscriptionType: MutationType } };
      errors?: readonly { extensions?: { code?: string } }[];
    }>(),
  };
};

/** The verb and kind that a field stands for, and how it is asked; nothing for a field of an unknown kind. */
function fieldQuestion(
  { name, args, type }: QueryField,
  kinds: ReadonlyMap<string, DiscoveredKind>,
): { readonly what: string; readonly text: string } | undefined {
  const typeName = (type.name ?? type.ofType?.name ?? '').replace(/Connection$/, '');
  const isOne = args.some((arg) => arg.name === 'name');
  const kind = kinds.get(typeName);
  if (kind === undefined) return undefined;
  const { group, resource, isNamespaced } = kind;
  const namespace = isNamespaced ? 'namespace: "shop", ' : '';
  const own = named[`${group}/${resource}`] ?? absent;
  const text = isOne ? `{ ${name}(${namespace}name: "${own}") { id } }` : `{ ${name}(${namespace}first: 1) { pageInfo { hasNextPage } } }`;
  return { what: `${isOne ? 'get' : 'list'} ${group}/${resource} ${isNamespaced ? 'in' : 'cluster'}`, text };
}

interface DiscoveredKind {
  readonly group: string;
  readonly resource: string;
  readonly isNamespaced: boolean;
}

test.serial('every query field of GraphQL lets in whom the table says of its kind', async (t) => {
  t.timeout(120_000);
  const kinds = new Map(
    platform.engines
      .of('platform')
      .kinds()
      .map(({ kind, group, plural, scope }) => [kind, { group, resource: plural, isNamespaced: scope === 'Namespaced' }] as const),
  );
  const { json } = await query(
    'administrator',
    '{ __schema { queryType { fields { name args { name } type { name kind ofType { name kind } } } } } }',
  );
  const fields = (json.data?.__schema.queryType.fields ?? []).filter(({ name }) => ownFields[name] === undefined);
  t.true(fields.length > 0);
  const problems: string[] = [];
  for (const field of fields) {
    const asked = fieldQuestion(field, kinds);
    const expected = asked && whoMay('platform', asked.what);
    if (asked === undefined || expected === undefined) {
      problems.push(`Query.${field.name}: the matrix does not know it`);
      continue;
    }
    const answers = await Promise.all(people.map((person) => query(person, asked.text)));
    const letIn = people.filter((_, index) => {
      const { status, json: answer } = answers[index] ?? { status: 401, json: {} };
      return status !== 401 && answer.errors?.some(({ extensions }) => extensions?.code === 'TAP_REQUEST_FORBIDDEN') !== true;
    });
    if (letIn.join() !== expected.join())
      problems.push(`Query.${field.name} (${asked.what}): expected ${expected.join(', ')}; let in ${letIn.join(', ')}`);
  }
  t.deepEqual(problems, []);
});

interface MutationType {
  readonly fields: readonly { readonly name: string; readonly args: readonly { readonly name: string; readonly type: GraphqlType }[] }[];
}

interface InputType {
  readonly inputFields: readonly { readonly name: string; readonly type: GraphqlType; readonly defaultValue: string | null }[] | null;
  readonly enumValues: readonly { readonly name: string }[] | null;
}

const reference = 'name kind ofType { name kind ofType { name kind ofType { name kind } } }';
const inputTypes = new Map<string, InputType>();

async function inputType(name: string): Promise<InputType> {
  const known = inputTypes.get(name);
  if (known !== undefined) return known;
  const text = `{ __type(name: "${name}") { inputFields { name defaultValue type { ${reference} } } enumValues { name } } }`;
  const { json } = await query('administrator', text);
  const found = (json as unknown as { data: { __type: InputType } }).data.__type;
  inputTypes.set(name, found);
  return found;
}

/** Something that fits a type as far as GraphQL looks, with no more than has to be there. */
async function filler(type: GraphqlType): Promise<string> {
  if (type.kind === 'NON_NULL' && type.ofType) return filler(type.ofType);
  if (type.kind === 'LIST') return '[]';
  const name = type.name ?? '';
  if (type.kind === 'ENUM') return (await inputType(name)).enumValues?.[0]?.name ?? '';
  if (type.kind === 'INPUT_OBJECT') return `{ ${await required(name, [])} }`;
  return ({ Int: '1', Float: '1', Boolean: 'false' } as Record<string, string>)[name] ?? '"x"';
}

async function required(name: string, given: readonly string[]): Promise<string> {
  const { inputFields } = await inputType(name);
  const needed = (inputFields ?? []).filter(
    (field) => field.type.kind === 'NON_NULL' && field.defaultValue === null && !given.includes(field.name),
  );
  return (await Promise.all(needed.map(async (field) => `${field.name}: ${await filler(field.type)}`))).join(', ');
}

const accessVerbs: Readonly<Record<string, string>> = { create: 'create', update: 'patch', apply: 'patch', delete: 'delete' };

/** What a mutation stands for: a verb of a kind, or an action of a plugin. */
function mutationMeaning(
  name: string,
  kinds: ReadonlyMap<string, DiscoveredKind>,
): { readonly what: string; readonly kind: DiscoveredKind } | undefined {
  const typeName = [...kinds.keys()].filter((each) => name.endsWith(each)).toSorted((a, b) => b.length - a.length)[0];
  const kind = kinds.get(typeName ?? '');
  if (kind === undefined || typeName === undefined) return undefined;
  const verb = name.slice(0, -typeName.length);
  const place = kind.isNamespaced ? 'in' : 'cluster';
  const known = accessVerbs[verb];
  if (known !== undefined) return { kind, what: `${known} ${kind.group}/${kind.resource} ${place}` };
  const action = verb.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return { kind, what: `create ${kind.group}/${kind.resource}/${action} ${place}` };
}

function exposedKinds(): ReadonlyMap<string, DiscoveredKind> {
  const all = platform.engines.of('platform').kinds();
  return new Map(
    all.map(({ kind, group, plural, scope }) => [kind, { group, resource: plural, isNamespaced: scope === 'Namespaced' }] as const),
  );
}

async function fieldsOf(root: 'queryType' | 'mutationType' | 'subscriptionType'): Promise<MutationType['fields']> {
  const { json } = await query('administrator', `{ __schema { ${root} { fields { name args { name type { ${reference} } } } } } }`);
  return (json.data?.__schema[root] as MutationType | undefined)?.fields ?? [];
}

const isForbidden = (text: string): boolean => text.includes('TAP_REQUEST_FORBIDDEN') || text.includes('TAP_REQUEST_UNAUTHENTICATED');

test.serial('every field of Query that stands for no kind lets in whom the table says', async (t) => {
  t.timeout(60_000);
  const seen = await ask('administrator', 'POST', `${rbac}/namespaces/shop/roles`, { metadata: { name: 'seen' }, rules: [] });
  t.is(seen.status, 201, seen.text);
  const problems: string[] = [];
  for (const [name, textOf] of Object.entries(ownFields)) {
    const text = await textOf();
    const expected = whoMay('platform', `FIELD Query.${name} path`);
    const answers = await Promise.all(people.map((person) => ask(person, 'POST', '/graphql', { query: text })));
    const found = people.filter((_, index) => !isForbidden(answers[index]?.text ?? ''));
    if (found.join() !== expected?.join())
      problems.push(`Query.${name}: expected ${expected?.join(', ') ?? 'a row'}; let in ${found.join(', ')}: ${answers[1]?.text}`);
  }
  t.deepEqual(problems, []);
});

test.serial('every mutation of GraphQL lets in whom the table says of its verb and kind', async (t) => {
  t.timeout(240_000);
  const kinds = exposedKinds();
  const fields = await fieldsOf('mutationType');
  t.true(fields.length > 0);
  const problems: string[] = [];
  for (const { name, args } of fields) {
    const meaning = mutationMeaning(name, kinds);
    const expected = meaning && whoMay('platform', meaning.what);
    const inputName = args.find((arg) => arg.name === 'input')?.type.ofType?.name;
    if (meaning === undefined || expected === undefined || inputName === undefined || inputName === null) {
      problems.push(`Mutation.${name} (${meaning?.what ?? 'of no kind'}): the matrix does not know it`);
      continue;
    }
    const { kind } = meaning;
    const own = named[`${kind.group}/${kind.resource}`] ?? absent;
    const key = `${kind.isNamespaced ? 'namespace: "shop", ' : ''}name: "${own}", dryRun: true`;
    const rest = await required(inputName, ['namespace', 'name', 'dryRun']);
    const text = `mutation { ${name}(input: { ${key}${rest === '' ? '' : `, ${rest}`} }) { userErrors { code } } }`;
    const answers = await Promise.all(people.map((person) => ask(person, 'POST', '/graphql', { query: text })));
    const broken = answers.at(-1)?.text.includes('"userErrors"') ? undefined : answers.at(-1);
    if (broken !== undefined) problems.push(`Mutation.${name}: ${broken.text}`);
    const found = people.filter((_, index) => !isForbidden(answers[index]?.text ?? ''));
    if (found.join() !== expected.join())
      problems.push(
        `Mutation.${name} (${meaning.what}): expected ${expected.join(', ') || 'nobody'}; let in ${found.join(', ') || 'nobody'}`,
      );
  }
  t.deepEqual(problems, []);
});

/** How a subscription is begun so that it ends at once: behind a version that nobody will ever reach, or about what is not there. */
function subscriptionText(name: string, args: readonly { readonly name: string }[]): string {
  const has = (arg: string): boolean => args.some((each) => each.name === arg);
  const given = [...(has('namespace') ? ['namespace: "shop"'] : []), ...(has('since') ? ['since: "no-version"'] : [`name: "${absent}"`])];
  const selection = has('since') ? 'resourceVersion' : '__typename';
  return `subscription { ${name}(${given.join(', ')}) { ${selection} } }`;
}

/** What a subscriber hears first: an error, an end, or nothing within a moment. */
async function firstHeard(person: Person, text: string): Promise<string> {
  const headers = withoutEmpty(headersFor(person));
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
    const told = (what: unknown): void => resolve(what instanceof Error ? what.message : JSON.stringify(what ?? 'end'));
    // A close is how who brings no credential is turned away.
    const failed = (what: unknown): void => (Array.isArray(what) ? told(what) : resolve('TAP_REQUEST_UNAUTHENTICATED'));
    client.subscribe({ query: text }, { next: told, error: failed, complete: () => told(undefined) });
    setTimeout(() => resolve('nothing'), 1000);
  });
  try {
    return await heard;
  } finally {
    await client.dispose();
  }
}

test.serial('every subscription of GraphQL lets in whom the table says of watching its kind', async (t) => {
  t.timeout(240_000);
  const kinds = exposedKinds();
  const fields = await fieldsOf('subscriptionType');
  t.true(fields.length > 0);
  const problems: string[] = [];
  for (const { name, args } of fields) {
    const typeName = name === 'operationProgress' ? 'Operation' : name.charAt(0).toUpperCase() + name.slice(1).replace(/Changes$/, '');
    const kind = kinds.get(typeName);
    const what =
      kind === undefined
        ? `FIELD Subscription.${name} path`
        : `watch ${kind.group}/${kind.resource} ${kind.isNamespaced ? 'in' : 'cluster'}`;
    const expected = whoMay('platform', what);
    if (expected === undefined) {
      problems.push(`Subscription.${name} (${what}): the matrix does not know it`);
      continue;
    }
    const answers = await Promise.all(people.map((person) => firstHeard(person, subscriptionText(name, args))));
    const broken = answers.find((answer) => answer.includes('TAP_GRAPHQL_DOCUMENT_INVALID'));
    if (broken !== undefined) problems.push(`Subscription.${name}: ${broken}`);
    const found = people.filter((_, index) => !isForbidden(answers[index] ?? ''));
    if (found.join() !== expected.join())
      problems.push(`Subscription.${name} (${what}): expected ${expected.join(', ')}; let in ${found.join(', ') || 'nobody'}`);
  }
  t.deepEqual(problems, []);
});

/** Every route and verb that a running platform serves, asked by six people: what the table says, and nothing that it does not know. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
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
  const home = await platformHome({ plugins: { roles: { use: '@tappaas/access-rbac' }, tokens: { use: '@tappaas/identity-token' } } });
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

/** Fields that show nothing of anybody's objects, or ask as other fields do. */
const ownFields = new Set(['node', 'nodes', 'viewer', 'platform', 'rateLimit']);

const query = async (person: Person | 'administrator', text: string) => {
  const answer = await ask(person, 'POST', '/graphql', { query: text });
  return {
    status: answer.status,
    json: answer.json<{
      data?: { __schema: { queryType: { fields: readonly QueryField[] } } };
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
  const fields = (json.data?.__schema.queryType.fields ?? []).filter(({ name }) => !ownFields.has(name));
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

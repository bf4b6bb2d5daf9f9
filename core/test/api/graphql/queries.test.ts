import type { Awaitable } from '@tappaas/sdk';
import test, { type ExecutionContext } from 'ava';
import { getOperationAST, parse, validate } from 'graphql';
import type { EnginePort, ListPage, ListQuery } from '../../../dist/ports/engine.js';
import { PlannedOperation } from '../../../dist/api/graphql/document.js';
import { PreparedOperations } from '../../../dist/api/graphql/prepared-operations.js';
import { composeSchema } from '../../../dist/api/graphql/schema/compose.js';
import type { Authorize } from '../../../dist/api/stages.js';
import { realClock } from '../running-server.ts';
import { enginePort } from './engine-port.ts';
import { application, kindPaths, release, startGraphql, type GraphqlServer, type TestObject } from './graphql-server.ts';

test('an object is read with exactly the fields that are asked for, first and again', async (t) => {
  const { ask, put } = await startGraphql(t);
  await put(kindPaths.applications, application('shop', { env: [{ name: 'LEVEL', value: 'info' }] }));
  const query = `query One($name: String!) {
    application(namespace: "team", name: $name) {
      name namespace apiVersion kind
      metadata { labels { key value } generation }
      spec { runtime processes { name replicas } env { name value } }
      status { url }
    }
  }`;
  const expected = {
    application: {
      name: 'shop',
      namespace: 'team',
      apiVersion: 'apps.tappaas.dev/v1alpha1',
      kind: 'Application',
      metadata: { labels: [{ key: 'app', value: 'shop' }], generation: 1 },
      spec: { runtime: 'standard', processes: [{ name: 'web', replicas: 1 }], env: [{ name: 'LEVEL', value: 'info' }] },
      status: null,
    },
  };
  for (const _ of ['executed', 'compiled', 'compiled again']) {
    const { status, json } = await ask(query, { name: 'shop' });
    t.is(status, 200);
    t.deepEqual(json, { data: expected });
  }
  t.deepEqual((await ask(query, { name: 'absent' })).json, { data: { application: null } });
});

test('a list of an empty namespace is refused: it would contain the objects of all namespaces', async (t) => {
  const { ask, put } = await startGraphql(t);
  await put(kindPaths.applications, application('shop'));
  const query = 'query List($namespace: String) { applications(namespace: $namespace) { nodes { name } } }';
  const { errors } = (await ask(query, { namespace: '' })).json;
  t.like(errors[0], {
    message: 'namespace: expected the namespace to list, or null for all, found an empty text',
    extensions: { code: 'TAP_GRAPHQL_ARGUMENT_INVALID', field: 'namespace' },
  });
  for (const namespace of [null, 'team'])
    t.deepEqual((await ask(query, { namespace })).json.data, { applications: { nodes: [{ name: 'shop' }] } });
});

test('a list comes in pages whose cursors go on where they stand', async (t) => {
  const { ask, put } = await startGraphql(t);
  for (const name of ['a', 'b', 'c', 'd', 'e']) await put(kindPaths.applications, application(name));
  const query = `query Page($first: Int!, $after: String) {
    applications(first: $first, after: $after, namespace: "team") {
      edges { cursor node { name } } nodes { name }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }`;
  const page = async (first: number, after?: string) => (await ask(query, { first, after })).json.data.applications;
  const one = await page(2);
  t.deepEqual(one.nodes, [{ name: 'a' }, { name: 'b' }]);
  t.deepEqual([one.pageInfo.hasNextPage, one.pageInfo.hasPreviousPage], [true, false]);
  const two = await page(2, one.pageInfo.endCursor);
  t.deepEqual(two.nodes, [{ name: 'c' }, { name: 'd' }]);
  t.deepEqual((await page(9, two.pageInfo.endCursor)).nodes, [{ name: 'e' }]);
  const behindFirst = await page(9, one.edges[0].cursor);
  t.deepEqual(
    behindFirst.nodes.map(({ name }: { name: string }) => name),
    ['b', 'c', 'd', 'e'],
  );
  t.false(behindFirst.pageInfo.hasNextPage);
  for (const { edges, pageInfo } of [one, behindFirst])
    t.deepEqual([pageInfo.startCursor, pageInfo.endCursor], [edges[0].cursor, edges.at(-1).cursor]);
  const [error] = (await ask(query, { first: 2, after: 'none' })).json.errors;
  t.deepEqual(
    [error.extensions.code, error.extensions.field, error.message.startsWith('after: ')],
    ['TAP_GRAPHQL_ARGUMENT_INVALID', 'after', true],
  );
});

test('more than 100 of a page, none or fewer, is an error and not a smaller page', async (t) => {
  const { ask } = await startGraphql(t);
  for (const first of [101, 0, -5]) {
    const { status, json } = await ask(`{ applications(first: ${first}) { nodes { name } } }`);
    t.is(status, 400);
    t.is(json.errors[0].extensions.code, 'TAP_GRAPHQL_ARGUMENT_INVALID');
    t.regex(json.errors[0].message, /expected 1 to 100, found -?\d+/);
  }
  t.is((await ask('{ applications(first: 100) { nodes { name } } }')).json.errors, undefined);
});

test('labels and fields select, and a bad selector is told with its code', async (t) => {
  const { ask, put } = await startGraphql(t);
  for (const name of ['a', 'b']) await put(kindPaths.applications, application(name));
  await put(kindPaths.applications, application('c', {}, 'other'));
  const names = async (args: string) =>
    (await ask(`{ applications(${args}) { nodes { name } } }`)).json.data.applications.nodes.map(({ name }: { name: string }) => name);
  t.deepEqual(await names('labels: "app in (a, c)"'), ['c', 'a']);
  t.deepEqual(await names('namespace: "team", labels: "app!=a"'), ['b']);
  t.deepEqual(await names('fields: "metadata.name=b"'), ['b']);
  const { json } = await ask('{ applications(labels: "((") { nodes { name } } }');
  t.is(json.errors[0].extensions.code, 'TAP_SELECTOR_INVALID');
});

test('an id finds its object again, and no other that got its name later', async (t) => {
  const { ask, put, engine } = await startGraphql(t);
  const shop = await put(kindPaths.applications, application('shop'));
  await put(kindPaths.namespaces, { metadata: { name: 'third' } });
  const { id } = (await ask('{ application(namespace: "team", name: "shop") { id } }')).json.data.application;
  const query = 'query Node($id: ID!) { node(id: $id) { id __typename ... on Application { name spec { runtime } } } }';
  const found = { id, __typename: 'Application', name: 'shop', spec: { runtime: 'standard' } };
  t.deepEqual((await ask(query, { id })).json.data.node, found);
  t.deepEqual((await ask(query, { id })).json.data.node, found);
  const space = (await ask('{ namespaceObject: namespace(name: "third") { id } }')).json.data.namespaceObject.id;
  const many = await ask('query Nodes($ids: [ID!]!) { nodes(ids: $ids) { __typename } }', { ids: [space, 'bm9uc2Vuc2U', id] });
  t.deepEqual(many.json.data.nodes, [{ __typename: 'Namespace' }, null, { __typename: 'Application' }]);
  const { group, version, plural } = kindPaths.applications;
  const target = { kind: { group, version, plural }, namespace: 'team', name: 'shop' };
  await engine.write({ verb: 'delete', target, options: {} }, { ...writer, signal: AbortSignal.timeout(60_000) });
  await put(kindPaths.applications, application('shop'));
  t.truthy(shop.metadata.uid);
  t.is((await ask(query, { id })).json.data.node, null);
});

const writer = {
  caller: { name: 'test', groups: [] },
  requestId: 't',
  dryRun: false,
  fieldValidation: 'Strict',
  fieldManager: 't',
} as const;

test('whoever may not see a kind is refused as over REST, field by field', async (t) => {
  const { ask, http, put } = await startGraphql(t);
  await put(kindPaths.applications, application('shop'));
  await put(kindPaths.applications, application('secret', {}, 'other'));
  const query = `{
    mine: application(namespace: "team", name: "shop") { name }
    theirs: application(namespace: "other", name: "secret") { name }
    absent: application(namespace: "other", name: "absent") { name }
  }`;
  for (const _ of ['executed', 'compiled']) {
    const { status, json } = await ask(query, undefined, { as: 'team' });
    t.is(status, 200);
    t.deepEqual(json.data, { mine: { name: 'shop' }, theirs: null, absent: null });
    t.deepEqual(
      json.errors.map(({ path, extensions }: { path: string[]; extensions: { code: string } }) => [path, extensions.code]),
      [
        [['theirs'], 'TAP_REQUEST_FORBIDDEN'],
        [['absent'], 'TAP_REQUEST_FORBIDDEN'],
      ],
    );
  }
  const rest = await http('/apis/apps.tappaas.dev/v1alpha1/namespaces/other/applications/secret', { as: 'team' });
  const reported = (await ask('{ application(namespace: "other", name: "secret") { name } }', undefined, { as: 'team' })).json.errors[0];
  t.is(reported.message, rest.json.message);
  const list = await ask('{ applications { nodes { name } } }', undefined, { as: 'team' });
  t.is(list.json.errors[0].extensions.code, 'TAP_REQUEST_FORBIDDEN');
  t.is(list.json.data, null);
});

test('nobody is answered without a credential', async (t) => {
  const { ask } = await startGraphql(t);
  const { status } = await ask('{ viewer { name } }', undefined, { as: '' });
  t.is(status, 401);
});

test('the viewer learns who they are and what they may, whether or not it exists', async (t) => {
  const { ask } = await startGraphql(t);
  const query = `{ viewer {
    name groups tenant
    here: can(verb: "create", group: "apps.tappaas.dev", resource: "applications", namespace: "team")
    there: can(verb: "create", group: "apps.tappaas.dev", resource: "applications", namespace: "other")
  } }`;
  const { json } = await ask(query, undefined, { as: 'team' });
  t.deepEqual(json.data.viewer, { name: 'team', groups: ['team'], tenant: 'acme', here: true, there: false });
});

test('the viewer may what is allowed of a part, as lists and reviews have it', async (t) => {
  const ofTenant: Authorize = ({ path, resource, canNarrow }) => ({
    decision: path === '/graphql' || (resource?.plural === 'namespaces' && canNarrow === true) ? 'allow' : 'no-opinion',
    reason: '',
    ...(resource !== undefined && { narrowed: { labelSelector: 'tappaas.dev/tenant=acme' } }),
  });
  const { ask } = await startGraphql(t, { authorize: ofTenant });
  const may = (verb: string): string => `${verb}: can(verb: "${verb}", resource: "namespaces")`;
  const { json } = await ask(`{ viewer { ${['get', 'list', 'watch'].map(may).join(' ')} } namespaces { nodes { name } } }`, undefined, {
    as: 'team',
  });
  t.deepEqual(json.data, { viewer: { get: true, list: true, watch: true }, namespaces: { nodes: [] } });
});

test('the platform tells its version, its health and its plugins', async (t) => {
  const { ask, put } = await startGraphql(t);
  await put(
    { group: 'platform.tappaas.dev', version: 'v1alpha1', plural: 'plugins', kind: 'Plugin' },
    { metadata: { name: 'store' }, spec: { use: '@tappaas/store-sqlite', version: '0.1.0', id: 'store-sqlite' } },
  );
  const { json } = await ask('{ platform { version health { name ok } plugins { name spec { use } } } }');
  t.deepEqual(json.data.platform, {
    version: '0.1.0',
    health: [
      { name: 'listener', ok: true },
      { name: 'store', ok: true },
    ],
    plugins: [{ name: 'store', spec: { use: '@tappaas/store-sqlite' } }],
  });
});

test('a check of health that never answers has failed after five seconds', async (t) => {
  const slept: number[] = [];
  const { ask } = await startGraphql(t, {
    ready: () => [{ name: 'stuck', check: () => new Promise<boolean>(() => {}) }],
    clock: { ...realClock, sleep: (ms, signal) => realClock.sleep(ms === 5_000 ? (slept.push(ms), 0) : ms, signal) },
    limits: { requestMsMax: 30_000 },
  });
  t.deepEqual((await ask('{ platform { health { name ok } } }')).json, {
    data: {
      platform: {
        health: [
          { name: 'listener', ok: true },
          { name: 'stuck', ok: false },
        ],
      },
    },
  });
  t.deepEqual(slept, [5_000]);
});

test('relations are read once for all objects of a page: one application costs as many reads as fifty', async (t) => {
  const { ask, put, reads } = await startGraphql(t);
  const query = `{ applications(first: 100) { nodes { name releases(first: 2) { name } operations { name } events { reason } } } }`;
  const readsOf = async (): Promise<readonly string[]> => {
    reads.length = 0;
    const { json } = await ask(query);
    t.is(json.errors, undefined);
    return [...reads].toSorted();
  };
  const shop = await put(kindPaths.applications, application('shop'));
  for (const number of [1, 2, 10]) await put(kindPaths.releases, release(shop, number));
  const expected = ['list applications', 'list events', 'list operations', 'list releases'];
  t.deepEqual(await readsOf(), expected);
  for (let index = 0; index < 50; index += 1) {
    const other = await put(kindPaths.applications, application(`app-${index}`, {}, index % 2 === 0 ? 'team' : 'other'));
    await put(kindPaths.releases, release(other, 1));
  }
  t.deepEqual(await readsOf(), expected);
  t.deepEqual(await readsOf(), expected);
  const { nodes } = (await ask(query)).json.data.applications;
  t.is(nodes.length, 51);
  const found = nodes.find(({ name }: { name: string }) => name === 'shop');
  t.deepEqual(found.releases, [{ name: 'shop-10' }, { name: 'shop-2' }]);
});

/** GraphQL over an engine whose lists are answered as `list` says. */
async function withLists(t: ExecutionContext, list: (query: ListQuery, engine: EnginePort) => Awaitable<ListPage>): Promise<GraphqlServer> {
  const server: GraphqlServer = await startGraphql(t, {
    engines: () => new Map([['platform', { ...enginePort(server.engine), list: (query) => list(query, server.engine) }]]),
  });
  return server;
}

test('relations of many objects are told in full, newest first, however many pages the engine answers with', async (t) => {
  const { ask, put } = await withLists(t, (query, engine) =>
    engine.list(query.target.kind.plural === 'releases' ? { ...query, limit: 2 } : query),
  );
  const numbers = [1, 2, 3, 10];
  for (const name of ['a', 'b', 'c']) {
    const of = await put(kindPaths.applications, application(name));
    for (const number of numbers) await put(kindPaths.releases, release(of, number));
  }
  const { json } = await ask('{ applications(first: 100) { nodes { name releases(first: 3) { spec { number } } } } }');
  const newest = [10, 3, 2].map((number) => ({ spec: { number } }));
  t.deepEqual(
    json.data.applications.nodes,
    ['a', 'b', 'c'].map((name) => ({ name, releases: newest })),
  );
});

test('of more than 100,000 children an error is told, and no part of them', async (t) => {
  let pages = 0;
  const { ask, put } = await withLists(t, async (query, engine) => {
    if (query.target.kind.plural !== 'releases') return engine.list(query);
    pages += 1;
    t.is(query.limit, 2_000);
    return { items: [], resourceVersion: '1', continueToken: 'more', tokenAfter: () => '' };
  });
  await put(kindPaths.applications, application('shop'));
  const { json } = await ask('{ applications(first: 100) { nodes { releases(first: 3) { name } } } }');
  t.is(json.errors[0].extensions.code, 'TAP_GRAPHQL_TOO_COSTLY');
  t.is(pages, 50);
});

test('objects that an object refers to are read with it, in one batch for all', async (t) => {
  const { ask, put, reads } = await startGraphql(t);
  const shop = await put(kindPaths.applications, application('shop'));
  for (const number of [1, 2, 3]) await put(kindPaths.releases, release(shop, number));
  const { metadata } = shop;
  const involvedObject = {
    apiVersion: 'apps.tappaas.dev/v1alpha1',
    kind: 'Application',
    name: 'shop',
    namespace: 'team',
    uid: metadata.uid,
  };
  await put(kindPaths.events, { metadata: { name: 'told', namespace: 'team' }, involvedObject, reason: 'Told' });
  const about = { object: { __typename: 'Application', name: 'shop' } };
  const query = '{ releases(first: 5) { nodes { object { __typename name } } } }';
  for (const _ of ['executed', 'compiled']) {
    reads.length = 0;
    const { json } = await ask(query);
    t.deepEqual(json.data.releases.nodes, [about, about, about]);
    t.deepEqual(reads, ['list releases', 'get applications']);
  }
  const { json } = await ask(
    '{ events(namespace: "team") { nodes { reason object { __typename name } } } application(namespace: "team", name: "shop") { currentRelease { name } } }',
  );
  t.deepEqual(json.data, { events: { nodes: [{ reason: 'Told', ...about }] }, application: { currentRelease: null } });
});

test('ids of one kind are read together', async (t) => {
  const { ask, put, reads } = await startGraphql(t);
  for (const name of ['a', 'b', 'c']) await put(kindPaths.applications, application(name));
  const ids = (await ask('{ applications { nodes { id } } }')).json.data.applications.nodes.map(({ id }: { id: string }) => id);
  reads.length = 0;
  const { json } = await ask('query Nodes($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids });
  t.is(json.data.nodes.length, 3);
  t.deepEqual(reads, ['get applications']);
});

test('what names an object from another namespace is not told as its own, and displaces nothing that is', async (t) => {
  const { ask, put } = await startGraphql(t);
  for (const namespace of ['default', 'tappaas-system']) await put(kindPaths.namespaces, { metadata: { name: namespace } });
  const shop = await put(kindPaths.applications, application('shop'));
  const tenant = await put(kindPaths.tenants, { metadata: { name: 'acme' }, spec: {} });
  const operation = (name: string, namespace: string, kind: string, { metadata }: TestObject) =>
    put(kindPaths.operations, {
      metadata: { name, namespace },
      spec: { verb: 'deploy', target: { group: 'x.tappaas.dev', kind, name: metadata.name, uid: metadata.uid } },
    });
  const event = (name: string, namespace: string, { metadata: { uid } }: TestObject) =>
    put(kindPaths.events, { metadata: { name, namespace }, involvedObject: { uid }, reason: name });
  await operation('own', 'team', 'Application', shop);
  await operation('own', 'tappaas-system', 'Tenant', tenant);
  await event('own', 'team', shop);
  await put(kindPaths.releases, release(shop, 1));
  for (let index = 0; index < 250; index += 1) {
    await operation(`forged-${index}`, 'other', 'Application', shop);
    await operation(`forged-of-${index}`, 'other', 'Tenant', tenant);
    await event(`forged-${index}`, 'other', shop);
  }
  const { spec, metadata } = release(shop, 1) as { readonly spec: object; readonly metadata: object };
  await put(kindPaths.releases, { metadata: { ...metadata, name: 'shop-99', namespace: 'other' }, spec: { ...spec, number: 99 } });
  const { json } = await ask(`{
    applications { nodes { releases { name } operations { name } events { reason } } }
    tenants { nodes { operations { name } } }
  }`);
  t.deepEqual(json.data.applications.nodes, [
    { releases: [{ name: 'shop-1' }], operations: [{ name: 'own' }], events: [{ reason: 'own' }] },
  ]);
  t.deepEqual(json.data.tenants.nodes, [{ operations: [{ name: 'own' }] }]);
});

test('relations of one object are not those of another that was asked about before', async (t) => {
  const { ask, put } = await startGraphql(t);
  for (const name of ['shop', 'other']) await put(kindPaths.releases, release(await put(kindPaths.applications, application(name)), 1));
  for (const name of ['shop', 'other', 'shop']) {
    const { json } = await ask('query Q($name: String!) { application(namespace: "team", name: $name) { releases { name } } }', { name });
    t.deepEqual(json.data.application.releases, [{ name: `${name}-1` }]);
  }
});

test('events about what has no namespace are seen by who may see it, read once for a page, and told to audit', async (t) => {
  const { ask, put, reads, audited } = await startGraphql(t);
  await put(kindPaths.namespaces, { metadata: { name: 'default' } });
  for (const name of ['acme', 'other']) {
    const { uid } = (await put(kindPaths.tenants, { metadata: { name }, spec: {} })).metadata;
    await put(kindPaths.events, {
      metadata: { name, namespace: 'default' },
      involvedObject: { apiVersion: 'platform.tappaas.dev/v1alpha1', kind: 'Tenant', name, uid },
      type: 'Normal',
      reason: `Of-${name}`,
    });
  }
  const one = 'query Q($name: String!) { tenant(name: $name) { events { reason } } }';
  const own = await ask(one, { name: 'acme' }, { as: 'customer' });
  t.deepEqual(own.json.data.tenant.events, [{ reason: 'Of-acme' }]);
  t.is((await ask(one, { name: 'other' }, { as: 'customer' })).json.errors[0].extensions.code, 'TAP_REQUEST_FORBIDDEN');
  const reported = audited.filter(({ isPart, caller }) => isPart && caller?.name === 'customer');
  t.deepEqual(
    reported.map(({ verb, target, outcome }) => [verb, target?.kind.plural, target?.namespace, outcome.status, outcome.decision?.decision]),
    [
      ['get', 'tenants', undefined, 200, 'allow'],
      ['list', 'events', 'default', 200, 'allow'],
      ['get', 'tenants', undefined, 403, 'no-opinion'],
    ],
  );
  reads.length = 0;
  const page = await ask('{ tenants { nodes { name events(first: 1) { reason } } } }');
  t.deepEqual(page.json.data.tenants.nodes, [
    { name: 'acme', events: [{ reason: 'Of-acme' }] },
    { name: 'other', events: [{ reason: 'Of-other' }] },
  ]);
  t.deepEqual(reads, ['list tenants', 'list events']);
});

test('the schema is that of the loaded kinds, composed anew when they change and not before', async (t) => {
  const { ask, kinds, serve } = await startGraphql(t);
  const types = async () =>
    (await ask('{ __schema { queryType { fields { name } } } }')).json.data.__schema.queryType.fields.map(
      ({ name }: { name: string }) => name,
    );
  t.true((await types()).includes('builds'));
  await serve(kinds.filter(({ kind }) => kind.kind !== 'Build'));
  t.false((await types()).includes('builds'));
});

test('what is asked again is compiled, whatever scalars, enums, fragments and interfaces it selects', async (t) => {
  const { engine } = await startGraphql(t);
  const schema = composeSchema({ kinds: engine.kinds(), actions: [], fields: [] });
  const prepared = new PreparedOperations(schema);
  const query = `query All($id: ID!, $first: Int = 3) {
    node(id: $id) { id ... on Resource { metadata { generation creationTimestamp managedFields { fieldsV1 } } } }
    applications(first: $first) { edges { cursor } nodes { ...A status { conditions { status } } } pageInfo { endCursor } }
    viewer { can(verb: "get", resource: "pods") }
  }
  fragment A on Application { spec { processes { ports { protocol } } } releases { object { __typename } } }`;
  const document = parse(query);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('there is no operation');
  t.deepEqual(validate(schema, document), []);
  prepared.remember(query, undefined, { plan: new PlannedOperation(schema, document, operation), hash: '' });
  t.truthy(prepared.get(query, undefined)?.compiled);
  t.is(prepared.get(query, 'All'), undefined);
});

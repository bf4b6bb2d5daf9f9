import { errorTable } from '@tappaas/sdk';
import test from 'ava';
import type { ServedAction } from '../../../dist/api/contributions.js';
import { application, kindPaths, startGraphql } from './graphql-server.ts';

const create = `mutation Create($input: CreateApplicationInput!) {
  createApplication(input: $input) {
    object { name metadata { generation resourceVersion labels { key value } } spec { processes { name replicas } } }
    warnings userErrors { field code message }
  }
}`;
const shop = {
  namespace: 'team',
  name: 'shop',
  labels: [{ key: 'tier', value: 'web' }],
  spec: {
    source: { image: 'registry.example/shop@sha256:1' },
    processes: [{ name: 'web' }],
    runtimeParameters: [{ key: 'size', value: 'small' }],
  },
};

test('an object is created, changed, applied and deleted, with maps as lists of keys and values', async (t) => {
  const { ask, http } = await startGraphql(t);
  const created = (await ask(create, { input: shop })).json.data.createApplication;
  t.deepEqual(created.userErrors, []);
  t.deepEqual(created.object.spec.processes, [{ name: 'web', replicas: 1 }]);
  t.deepEqual(created.object.metadata.labels, [{ key: 'tier', value: 'web' }]);
  const path = '/apis/apps.tappaas.dev/v1alpha1/namespaces/team/applications/shop';
  t.deepEqual((await http(path)).json.spec.runtimeParameters, { size: 'small' });

  const update = `mutation Update($input: UpdateApplicationInput!) {
    updateApplication(input: $input) { object { spec { runtime runtimeParameters { key value } } } userErrors { code message } }
  }`;
  const changes = {
    spec: {
      runtime: 'gpu',
      runtimeParameters: [
        { key: 'size', value: null },
        { key: 'zone', value: 'a' },
      ],
    },
  };
  const updated = (await ask(update, { input: { namespace: 'team', name: 'shop', ...changes } })).json.data.updateApplication;
  t.deepEqual(updated, { object: { spec: { runtime: 'gpu', runtimeParameters: [{ key: 'zone', value: 'a' }] } }, userErrors: [] });

  const apply = `mutation Apply($input: ApplyApplicationInput!) {
    applyApplication(input: $input) { object { name spec { processes { name replicas } } } userErrors { code message } }
  }`;
  const wished = { ...shop, name: 'other', spec: { ...shop.spec, processes: [{ name: 'web', replicas: 3 }] } };
  for (const replicas of [3, 5]) {
    wished.spec.processes = [{ name: 'web', replicas }];
    const applied = (await ask(apply, { input: wished })).json.data.applyApplication;
    t.deepEqual(applied, { object: { name: 'other', spec: { processes: [{ name: 'web', replicas }] } }, userErrors: [] });
  }

  const remove = 'mutation { deleteApplication(input: { namespace: "team", name: "other" }) { object { name } userErrors { code } } }';
  t.deepEqual((await ask(remove)).json.data.deleteApplication, { object: { name: 'other' }, userErrors: [] });
  t.is((await ask('{ application(namespace: "team", name: "other") { name } }')).json.data.application, null);
});

test('what the writer can put right comes back as user errors with paths, and nothing is written', async (t) => {
  const { ask } = await startGraphql(t);
  const wrong = { ...shop, spec: { source: shop.spec.source, processes: [{ name: 'WEB' }, { name: 'worker', replicas: -1 }] } };
  const { status, json } = await ask(create, { input: wrong });
  t.is(status, 200);
  const { object, userErrors } = json.data.createApplication;
  t.is(object, null);
  t.deepEqual(
    userErrors.map(({ field, code }: { field: string; code: string }) => [field, code]),
    [
      ['spec.processes[0].name', 'TAP_OBJECT_INVALID'],
      ['spec.processes[1].replicas', 'TAP_OBJECT_INVALID'],
    ],
  );
  const missing = (await ask(create, { input: { namespace: 'team', name: 'shop', spec: {} } })).json.data.createApplication;
  t.true(missing.userErrors.some(({ field }: { field: string }) => field === 'spec.processes'));
  t.is((await ask('{ applications { nodes { name } } }')).json.data.applications.nodes.length, 0);
  await ask(create, { input: shop });
  t.is((await ask(create, { input: shop })).json.data.createApplication.userErrors[0].code, 'TAP_OBJECT_EXISTS');
});

test('a write with another version than expected is a user error', async (t) => {
  const { ask } = await startGraphql(t);
  const { resourceVersion } = (await ask(create, { input: shop })).json.data.createApplication.object.metadata;
  const input = { namespace: 'team', name: 'shop', expectedVersion: resourceVersion };
  const update =
    'mutation U($input: UpdateApplicationInput!) { updateApplication(input: $input) { object { name } userErrors { field code } } }';
  t.deepEqual((await ask(update, { input: { ...input, spec: { runtime: 'gpu' } } })).json.data.updateApplication.userErrors, []);
  const late = (await ask(update, { input: { ...input, spec: { runtime: 'edge' } } })).json.data.updateApplication;
  t.is(late.object, null);
  t.deepEqual(late.userErrors, [{ field: 'expectedVersion', code: 'TAP_OBJECT_PRECONDITION' }]);
  const remove = 'mutation D($input: DeleteApplicationInput!) { deleteApplication(input: $input) { object { name } userErrors { code } } }';
  const kept = (await ask(remove, { input })).json.data.deleteApplication;
  t.is(kept.object, null);
  t.is(kept.userErrors.length, 1);
  for (const expectedVersion of ['', '*']) {
    const none = { ...input, expectedVersion };
    t.is((await ask(update, { input: { ...none, spec: { runtime: 'edge' } } })).json.data.updateApplication.userErrors.length, 1);
    t.is((await ask(remove, { input: none })).json.data.deleteApplication.userErrors.length, 1);
  }
  const { spec } = (await ask('{ application(namespace: "team", name: "shop") { spec { runtime } } }')).json.data.application;
  t.is(spec.runtime, 'gpu');
});

test('a key that was used for something else is a user error about the field that has it', async (t) => {
  const { ask } = await startGraphql(t);
  const create = 'mutation C($input: CreateApplicationInput!) { createApplication(input: $input) { userErrors { field code message } } }';
  t.deepEqual((await ask(create, { input: { ...shop, idempotencyKey: 'k' } })).json.data.createApplication.userErrors, []);
  const other = await ask(create, { input: { ...shop, name: 'other', idempotencyKey: 'k' } });
  const message = 'the idempotency key was used for another request before';
  t.deepEqual(other.json.data.createApplication.userErrors, [{ field: 'idempotencyKey', code: 'TAP_REQUEST_KEY_REUSED', message }]);
});

test('what is no idempotency key is a user error about the field that has it', async (t) => {
  const { ask } = await startGraphql(t);
  const query = 'mutation C($input: CreateApplicationInput!) { createApplication(input: $input) { userErrors { field code message } } }';
  const message = 'idempotency key: expected 1 to 255 printable ASCII characters';
  for (const idempotencyKey of ['', 'a b', 'x'.repeat(256)]) {
    const { userErrors } = (await ask(query, { input: { ...shop, idempotencyKey } })).json.data.createApplication;
    t.deepEqual(userErrors, [{ field: 'idempotencyKey', code: 'TAP_REQUEST_INVALID', message }]);
  }
});

test('a key that a map is given twice is a user error with its place, and nothing is written', async (t) => {
  const { ask } = await startGraphql(t);
  const twice = [
    { key: 'a', value: 'b' },
    { key: 'a', value: 'c' },
  ];
  const create =
    'mutation C($input: CreateConfigMapInput!) { createConfigMap(input: $input) { object { name } userErrors { field code message } } }';
  for (const [field, given] of Object.entries({
    data: { data: twice },
    labels: { labels: twice },
    annotations: { annotations: twice },
  })) {
    const { json } = await ask(create, { input: { namespace: 'team', name: 'settings', ...given } });
    const message = `${field}: expected each key once, found "a" more than once`;
    t.deepEqual(json.data.createConfigMap, { object: null, userErrors: [{ field, code: 'TAP_GRAPHQL_ARGUMENT_INVALID', message }] });
  }
  const apply = 'mutation A($input: ApplyApplicationInput!) { applyApplication(input: $input) { userErrors { field } } }';
  const spec = { source: { image: 'registry.example/shop@sha256:1' }, runtimeParameters: twice };
  const { json } = await ask(apply, { input: { namespace: 'team', name: 'shop', spec } });
  t.deepEqual(json.data.applyApplication.userErrors, [{ field: 'spec.runtimeParameters' }]);
  t.is((await ask('{ configMaps(namespace: "team") { nodes { name } } }')).json.data.configMaps.nodes.length, 0);
});

test('a dry run answers what would be, and writes nothing', async (t) => {
  const { ask } = await startGraphql(t);
  const { object, userErrors } = (await ask(create, { input: { ...shop, dryRun: true } })).json.data.createApplication;
  t.deepEqual([object.name, userErrors], ['shop', []]);
  t.is((await ask('{ application(namespace: "team", name: "shop") { name } }')).json.data.application, null);
});

test('whoever may not write is refused with an error of the operation, before anything is looked at', async (t) => {
  const { ask } = await startGraphql(t);
  const { json } = await ask(create, { input: { ...shop, spec: {} } }, { as: 'viewer' });
  t.is(json.data, null);
  t.is(json.errors[0].extensions.code, 'TAP_REQUEST_FORBIDDEN');
  t.deepEqual((await ask(create, { input: shop }, { as: 'team' })).json.data.createApplication.userErrors, []);
});

test('who may patch applies to what is there, and does not thereby create', async (t) => {
  const { ask } = await startGraphql(t);
  const apply = 'mutation A($input: ApplyApplicationInput!) { applyApplication(input: $input) { object { name } userErrors { code } } }';
  const refused = (await ask(apply, { input: shop }, { as: 'patcher' })).json;
  t.is(refused.errors[0].extensions.code, 'TAP_REQUEST_FORBIDDEN');
  t.is((await ask('{ application(namespace: "team", name: "shop") { name } }')).json.data.application, null);
  await ask(create, { input: shop });
  const applied = (await ask(apply, { input: { ...shop, force: true } }, { as: 'patcher' })).json.data.applyApplication;
  t.deepEqual(applied, { object: { name: 'shop' }, userErrors: [] });
});

test('what others have made of an object is answered to a repeated create by who may read it only', async (t) => {
  const { ask } = await startGraphql(t);
  const large = { ...shop, annotations: [{ key: 'note', value: 'x'.repeat(2_000) }], idempotencyKey: 'k' };
  const repeated = async () => (await ask(create, { input: large }, { as: 'creator' })).json;
  for (const _ of ['made', 'repeated']) t.is((await repeated()).data.createApplication.object.name, 'shop');
  const update = 'mutation U($input: UpdateApplicationInput!) { updateApplication(input: $input) { userErrors { code } } }';
  await ask(update, { input: { namespace: 'team', name: 'shop', spec: { runtime: 'gpu' } } });
  t.is((await repeated()).errors[0].extensions.code, 'TAP_REQUEST_ANSWER_GONE');
});

test('mutations of one operation are done in their order', async (t) => {
  const { ask } = await startGraphql(t);
  const query = `mutation Both($input: CreateApplicationInput!) {
    createApplication(input: $input) { userErrors { code } }
    deleteApplication(input: { namespace: "team", name: "shop" }) { object { name } userErrors { code } }
  }`;
  for (const _ of ['executed', 'compiled']) {
    const { data } = (await ask(query, { input: shop })).json;
    t.deepEqual(data, { createApplication: { userErrors: [] }, deleteApplication: { object: { name: 'shop' }, userErrors: [] } });
  }
});

test('the operation that a write begins is told with it', async (t) => {
  const { ask, put, engine } = await startGraphql(t);
  const { group, version, plural } = kindPaths.applications;
  const stop = new AbortController();
  t.teardown(async () => stop.abort());
  const controller = (async () => {
    const watch = engine.watch({
      target: { kind: { group, version, plural } },
      sendInitialEvents: true,
      bookmarks: false,
      signal: stop.signal,
    });
    for await (const batch of watch) {
      for (const { served } of batch) {
        const { metadata } = served.object as { metadata: { name: string; namespace: string; uid: string; generation: number } };
        const target = { group, kind: 'Application', name: metadata.name, uid: metadata.uid, generation: metadata.generation };
        const operation = { name: `${metadata.name}-deploy-${metadata.generation}`, namespace: metadata.namespace };
        await put(kindPaths.operations, { metadata: operation, spec: { verb: 'deploy', target } });
      }
    }
  })();
  const query = `mutation C($input: CreateApplicationInput!) {
    createApplication(input: $input) { operation { name spec { verb target { generation } } } userErrors { code } }
  }`;
  const { operation } = (await ask(query, { input: shop })).json.data.createApplication;
  t.deepEqual(operation, { name: 'shop-deploy-1', spec: { verb: 'deploy', target: { generation: 1 } } });
  stop.abort();
  await controller;
});

const errors = errorTable({
  RESTART_REFUSED: { httpStatus: 409, blame: 'caller', retry: 'never', remedy: 'Wait.' },
  RESTART_BROKEN: { httpStatus: 500, blame: 'plugin', retry: 'never', remedy: 'Look.' },
});

test('an action of a plugin is a mutation with its own input and output', async (t) => {
  const seen: unknown[] = [];
  const restart = {
    engine: 'platform',
    group: 'apps.tappaas.dev',
    plural: 'applications',
    name: 'restart',
    description: 'Restarts the processes.',
    input: {
      type: 'object',
      required: ['process'],
      properties: {
        process: { type: 'string', description: 'Which.' },
        labels: { type: 'object', patternProperties: { '^.*$': { type: 'string' } }, description: 'Map.' },
      },
    },
    output: { type: 'object', properties: { pods: { type: 'integer', maximum: 10_000, description: 'How many.' } } },
    handle: async (request: Parameters<ServedAction['handle']>[0]) => {
      seen.push(request);
      const { process } = request.input as { process: string };
      if (process === 'refused') throw errors.RESTART_REFUSED({ message: 'it rolls out already', field: 'process' });
      if (process === 'broken') throw new Error('postgres://secret@inside');
      return { output: { pods: 3 } };
    },
  } satisfies Partial<ServedAction> as unknown as ServedAction;
  const actions = [restart];
  const { ask, put, logged } = await startGraphql(t, { actions: () => actions });
  await put(kindPaths.applications, application('shop'));
  const query = `mutation R($input: RestartApplicationInput!) { restartApplication(input: $input) { output { pods } userErrors { field code message } } }`;
  const input = (process: string) => ({
    namespace: 'team',
    name: 'shop',
    parameters: { process, labels: [{ key: 'a', value: 'b' }] },
    dryRun: true,
  });
  t.deepEqual((await ask(query, { input: input('web') })).json.data.restartApplication, { output: { pods: 3 }, userErrors: [] });
  t.deepEqual(seen, [{ key: { namespace: 'team', name: 'shop' }, input: { process: 'web', labels: { a: 'b' } }, dryRun: true }]);
  const refused = (await ask(query, { input: input('refused') })).json.data.restartApplication;
  t.deepEqual(refused.userErrors, [{ field: 'process', code: 'RESTART_REFUSED', message: 'it rolls out already' }]);
  const broken = await ask(query, { input: input('broken') });
  t.is(broken.json.errors[0].extensions.code, 'TAP_API_INTERNAL');
  t.false(broken.text.includes('postgres'));
  t.true(logged.length > 0);
  const forbidden = await ask(query, { input: input('web') }, { as: 'viewer' });
  t.is(forbidden.json.errors[0].extensions.code, 'TAP_REQUEST_FORBIDDEN');
  t.is(seen.length, 3);
});

test('a field of a plugin is asked once for all objects, nulls itself when it fails, and costs what it says', async (t) => {
  const calls: { objects: number; args: unknown; caller: string }[] = [];
  const cost = {
    group: 'apps.tappaas.dev',
    kind: 'Application',
    name: 'monthlyCost',
    description: 'Euro a month.',
    args: { type: 'object', required: ['currency'], properties: { currency: { type: 'string', default: 'EUR', description: 'Which.' } } },
    type: { type: 'number' },
    costPerObject: 40,
    resolve: async (objects: readonly object[], args: Readonly<Record<string, unknown>>, call: { caller: { name: string } }) => {
      calls.push({ objects: objects.length, args, caller: call.caller.name });
      if (args['currency'] === 'XXX') throw new Error('no such currency');
      return objects.map((_, index) => index + 0.5);
    },
  };
  const fields = [cost];
  const { ask, put } = await startGraphql(t, { fields: () => fields });
  for (const name of ['a', 'b', 'c']) await put(kindPaths.applications, application(name));
  const { json } = await ask('{ applications(first: 10) { nodes { name monthlyCost } } }', undefined, { as: 'viewer' });
  t.deepEqual(json.data.applications.nodes, [
    { name: 'a', monthlyCost: 0.5 },
    { name: 'b', monthlyCost: 1.5 },
    { name: 'c', monthlyCost: 2.5 },
  ]);
  t.deepEqual(calls, [{ objects: 3, args: { currency: 'EUR' }, caller: 'viewer' }]);
  const failing = (await ask('{ applications(first: 10) { nodes { name monthlyCost(currency: "XXX") } } }')).json;
  t.deepEqual(failing.data.applications.nodes[0], { name: 'a', monthlyCost: null });
  t.is(failing.errors.length, 3);
  const dear = await ask('query Dear($first: Int = 100) { applications(first: $first) { nodes { a: monthlyCost b: monthlyCost } } }');
  t.is(dear.status, 400);
  t.is(dear.json.errors[0].extensions.code, 'TAP_GRAPHQL_TOO_COSTLY');
});

test('a user error names the field of the input, as whoever wrote it knows it', async (t) => {
  const { ask } = await startGraphql(t);
  const create = 'mutation C($input: CreateApplicationInput!) { createApplication(input: $input) { userErrors { field } } }';
  const spec = { source: { image: 'registry.example/shop@sha256:1' }, processes: [{ name: 'web' }] };
  const fieldsOf = async (input: object): Promise<readonly string[]> => {
    const { json } = await ask(create, { input: { namespace: 'team', name: 'shop', spec, ...input } });
    return json.data.createApplication.userErrors.map(({ field }: { readonly field: string }) => field);
  };
  t.deepEqual(await fieldsOf({ name: 'Not A Name' }), ['name']);
  const [labels] = await fieldsOf({ labels: [{ key: 'app', value: 'not a value' }] });
  t.regex(labels ?? '', /^labels\b/);
  t.deepEqual(await fieldsOf({ spec: { ...spec, processes: [{ name: 'Not A Name' }] } }), ['spec.processes[0].name']);
  t.deepEqual(await fieldsOf({}), []);
  const remove = 'mutation D($input: DeleteApplicationInput!) { deleteApplication(input: $input) { userErrors { field } } }';
  const { json } = await ask(remove, { input: { namespace: 'team', name: 'shop', expectedVersion: '1' } });
  t.deepEqual(json.data.deleteApplication.userErrors, [{ field: 'expectedVersion' }]);
});

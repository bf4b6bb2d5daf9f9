import test, { type ExecutionContext } from 'ava';
import type { ServedKind } from '../../dist/ports/engine.js';
import { configMaps, createFakeEngine } from './fake-engine.ts';
import { startServer } from './running-server.ts';

const application = configMaps({
  group: 'apps.tappaas.dev',
  version: 'v1alpha1',
  plural: 'applications',
  kind: 'Application',
  singular: 'application',
  shortNames: ['app'],
  categories: ['all'],
  strategicMerge: false,
  schemaName: 'dev.tappaas.apps.v1alpha1.Application',
  subresources: [
    { name: 'status', verbs: ['get', 'patch', 'update'] },
    { name: 'scale', verbs: ['get', 'patch', 'update'], kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' } },
  ],
  components: () => ({
    'dev.tappaas.apps.v1alpha1.Application': {
      type: 'object',
      properties: { metadata: { allOf: [{ $ref: '#/components/schemas/Meta' }] } },
      'x-kubernetes-group-version-kind': [{ group: 'apps.tappaas.dev', version: 'v1alpha1', kind: 'Application' }],
    },
    Meta: { type: 'object', properties: { self: { $ref: '#/components/schemas/Meta' } } },
    Unused: { type: 'object' },
  }),
});
const kinds = [configMaps(), application, { ...application, version: 'v1' }, { ...application, version: 'v1beta1' }];

function engines() {
  const engine = createFakeEngine(kinds);
  return () => new Map([['platform', engine]]);
}

test('groups list their versions, the most stable first', async (t) => {
  const { ask } = await startServer(t, { engines: engines() });
  const { json } = await ask('/apis/apps.tappaas.dev');
  t.deepEqual(
    json.versions.map((each: { version: string }) => each.version),
    ['v1', 'v1beta1', 'v1alpha1'],
  );
  t.is(json.preferredVersion.groupVersion, 'apps.tappaas.dev/v1');
  t.is((await ask('/apis/none')).status, 404);
  t.is((await ask('/apis/apps.tappaas.dev/v9')).status, 404);
});

test('a version lists its resources and their parts', async (t) => {
  const { ask } = await startServer(t, { engines: engines() });
  const { json } = await ask('/apis/apps.tappaas.dev/v1alpha1');
  t.is(json.groupVersion, 'apps.tappaas.dev/v1alpha1');
  t.deepEqual(
    json.resources.map((each: { name: string }) => each.name),
    ['applications', 'applications/status', 'applications/scale'],
  );
  t.deepEqual(json.resources[0].shortNames, ['app']);
  t.like(json.resources[2], { kind: 'Scale', group: 'autoscaling', version: 'v1', namespaced: true });
});

test('aggregated discovery tells everything in two answers', async (t) => {
  const { ask } = await startServer(t, { engines: engines() });
  const accept =
    'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';
  const answer = await ask('/apis', { headers: { accept } });
  t.is(answer.headers['content-type'], 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
  const [group] = answer.json.items;
  t.is(group.metadata.name, 'apps.tappaas.dev');
  const [resource] = group.versions[0].resources;
  t.like(resource, { resource: 'applications', scope: 'Namespaced', singularResource: 'application' });
  t.is(resource.subresources[1].responseKind.kind, 'Scale');
  t.is((await ask('/api', { headers: { accept } })).json.items[0].versions[0].resources[0].resource, 'configmaps');
  const older = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';
  t.is((await ask('/apis', { headers: { accept: older } })).json.kind, 'APIGroupList');
});

test('documents that have not changed are not sent again, and are made anew when a kind comes', async (t) => {
  const engine = createFakeEngine(kinds);
  let current = kinds.slice(0, 1);
  engine.kinds = () => current;
  const { ask } = await startServer(t, { engines: () => new Map([['platform', engine]]) });
  for (const path of ['/apis', '/openapi/v3', '/openapi/v3/api/v1', '/api/v1']) {
    const first = await ask(path);
    t.is((await ask(path, { headers: { 'if-none-match': String(first.headers['etag']) } })).status, 304, path);
  }
  current = kinds;
  t.is((await ask('/apis')).json.groups.length, 1);
  t.is(Object.keys((await ask('/openapi/v3')).json.paths).length, 4);
});

test('the OpenAPI document has what kubectl explain and its validation look for', async (t) => {
  const { ask } = await startServer(t, { engines: engines() });
  const index = await ask('/openapi/v3');
  const { json } = await ask(index.json.paths['api/v1'].serverRelativeURL);
  t.is(json.openapi, '3.0.0');
  const gvk = { group: '', version: 'v1', kind: 'ConfigMap' };
  const item = json.paths['/api/v1/namespaces/{namespace}/configmaps/{name}'];
  t.deepEqual(item.get['x-kubernetes-group-version-kind'], gvk);
  t.is(item.put['x-kubernetes-action'], 'put');
  t.true(item.patch.parameters.some((each: { name: string; in: string }) => each.name === 'fieldValidation' && each.in === 'query'));
  t.true('application/strategic-merge-patch+json' in item.patch.requestBody.content);
  const collection = json.paths['/api/v1/namespaces/{namespace}/configmaps'];
  t.is(collection.get['x-kubernetes-action'], 'list');
  t.is(collection.delete['x-kubernetes-action'], 'deletecollection');
  t.is(json.paths['/api/v1/configmaps'].get['x-kubernetes-action'], 'list');
  t.is(json.paths['/api/v1/configmaps'].post, undefined);
  t.deepEqual(json.components.schemas['io.k8s.api.core.v1.ConfigMapList']['x-kubernetes-group-version-kind'][0].kind, 'ConfigMapList');
});

test('what operations do is described in grammatical English, whatever the kind is called', async (t) => {
  const { ask } = await startServer(t, { engines: engines() });
  const descriptions = async (document: string, plural: string) => {
    const { paths } = (await ask(`/openapi/v3/${document}`)).json;
    const collection = Object.keys(paths).find((path) => path.endsWith(`/namespaces/{namespace}/${plural}`)) ?? '';
    const object = `${collection}/{name}`;
    return [paths[collection].post, paths[object].get, paths[`${object}/status`]?.put].map((each) => each?.description);
  };
  t.deepEqual(await descriptions('apis/apps.tappaas.dev/v1alpha1', 'applications'), [
    'Create an Application.',
    'Read an Application.',
    'Replace status of an Application.',
  ]);
  t.deepEqual((await descriptions('api/v1', 'configmaps')).slice(0, 2), ['Create a ConfigMap.', 'Read a ConfigMap.']);
});

test('a document holds every schema it refers to and none that nobody uses', async (t) => {
  const { ask } = await startServer(t, { engines: engines() });
  for (const name of ['api/v1', 'apis/apps.tappaas.dev/v1alpha1']) {
    const { json, text } = await ask(`/openapi/v3/${name}`);
    const used = new Set([...text.matchAll(/#\/components\/schemas\/([^"]+)"/g)].map(([, each]) => each));
    for (const each of used) t.truthy(json.components.schemas[each ?? ''], `${name}: ${each}`);
    t.is(json.components.schemas['Unused'], undefined);
  }
  const { json } = await ask('/openapi/v3/apis/apps.tappaas.dev/v1alpha1');
  const patch = json.paths['/apis/apps.tappaas.dev/v1alpha1/namespaces/{namespace}/applications/{name}'].patch;
  t.false('application/strategic-merge-patch+json' in patch.requestBody.content);
});

const requested = (name: string, parts: NonNullable<ServedKind['subresources'][number]['parts']>) => ({
  name,
  verbs: Object.keys(parts),
  parts,
});
const withParts = configMaps({
  subresources: [
    requested('issue', {
      create: {
        is: 'action',
        description: 'Issues it.',
        isLong: false,
        schemas: () => ({
          input: { type: 'object', required: ['why'], properties: { why: { type: 'string' } } },
          output: { type: 'object', properties: { token: { type: 'string' } } },
        }),
      },
    }),
    requested('rebuild', {
      create: {
        is: 'action',
        description: 'Builds it.',
        isLong: true,
        schemas: () => ({ input: { type: 'object' }, output: { type: 'object' } }),
      },
    }),
    requested('log', {
      get: {
        is: 'handler',
        documentation: () => ({
          description: 'Reads it.',
          query: { type: 'object', properties: { tailLines: { type: 'integer', description: 'So many.' } } },
          answer: { status: 200, mediaType: 'text/plain', schema: { type: 'string' } },
          components: {},
        }),
      },
    }),
    requested('other', { create: { is: 'handler' } }),
    requested('exec', { get: { is: 'conversation', protocols: ['v5.channel.k8s.io'], documentation: () => ({}) } }),
  ],
});
const operation = configMaps({
  group: 'ops.tappaas.dev',
  version: 'v1alpha1',
  kind: 'Operation',
  plural: 'operations',
  schemaName: 'dev.tappaas.ops.v1alpha1.Operation',
  components: () => ({ 'dev.tappaas.ops.v1alpha1.Operation': { type: 'object' } }),
});

async function describedParts(t: ExecutionContext) {
  const engine = createFakeEngine([withParts, operation]);
  const { ask } = await startServer(t, { engines: () => new Map([['platform', engine]]) });
  const { json, text } = await ask('/openapi/v3/api/v1');
  const at = (part: string) => json.paths[`/api/v1/namespaces/{namespace}/configmaps/{name}/${part}`];
  return { json, text, at };
}

const prefix = '#/components/schemas/io.k8s.api.core.v1.ConfigMap';
const headersIn = (operation: { parameters: { $ref?: string }[] }) =>
  operation.parameters.flatMap(({ $ref = '' }) => /\/([A-Z]\w+)$/.exec($ref)?.[1] ?? []);

test('an action is described by its own input and output', async (t) => {
  const { json, at } = await describedParts(t);
  const { post } = at('issue');
  t.deepEqual(post.requestBody.content['application/json'].schema, { $ref: `${prefix}IssueInput` });
  t.true(post.requestBody.required);
  t.deepEqual(post.responses[200].content, { 'application/json': { schema: { $ref: `${prefix}IssueOutput` } } });
  t.deepEqual(json.components.schemas['io.k8s.api.core.v1.ConfigMapIssueInput'].required, ['why']);
  t.deepEqual(headersIn(post), ['IfMatch']);
  t.is(post.responses[201], undefined);
  t.is(post.responses[202], undefined);
});

test('an action that goes on is described as answered 202 with the Operation and its Location', async (t) => {
  const { json, at } = await describedParts(t);
  const { post } = at('rebuild');
  t.deepEqual(post.responses[202].content['application/json'].schema, { $ref: '#/components/schemas/dev.tappaas.ops.v1alpha1.Operation' });
  t.deepEqual(post.responses[202].headers.Location, { $ref: '#/components/headers/Location' });
  t.truthy(json.components.schemas['dev.tappaas.ops.v1alpha1.Operation']);
  t.deepEqual(headersIn(post), ['IfMatch', 'IdempotencyKey']);
  t.false(post.requestBody.required);
});

test('what plugins answer is described as they say, a log as text and a conversation as a WebSocket', async (t) => {
  const { at } = await describedParts(t);
  const log = at('log').get;
  t.deepEqual(log.responses[200].content, { 'text/plain': { schema: { type: 'string' } } });
  t.like(log.parameters[0], { name: 'tailLines', in: 'query', schema: { type: 'integer' } });
  t.deepEqual(at('other').post.responses['2XX'].content, { '*/*': {} });
  const exec = at('exec').get;
  t.is(exec['x-kubernetes-action'], 'connect');
  t.regex(exec.description, /v5\.channel\.k8s\.io/);
  t.deepEqual(Object.keys(exec.responses), ['101', '400', '401', '403', '404', '406', '410', '426', '429', '503', 'default']);
});

test('headers and refusals are described once and referred to', async (t) => {
  const { json, text, at } = await describedParts(t);
  const object = json.paths['/api/v1/namespaces/{namespace}/configmaps/{name}'];
  const collection = json.paths['/api/v1/namespaces/{namespace}/configmaps'];
  t.deepEqual(headersIn(object.get), ['IfNoneMatch']);
  t.deepEqual(headersIn(object.put), ['IfMatch']);
  t.deepEqual(headersIn(object.patch), ['IfMatch', 'IfAbsent']);
  t.deepEqual(headersIn(collection.post), ['IfAbsent', 'IdempotencyKey']);
  t.deepEqual(headersIn(collection.delete), []);
  const { responses, headers, parameters } = json.components;
  for (const name of ['ETag', 'Warning', 'RateLimit', 'RateLimit-Policy', 'Retry-After']) t.truthy(headers[name], name);
  t.is(headers.Deprecation, undefined);
  t.deepEqual(Object.keys(responses.Conflict.content), ['application/json', 'application/yaml', 'application/problem+json']);
  t.truthy(responses.TooManyRequests.headers['Retry-After']);
  t.deepEqual(object.put.responses[412], { $ref: '#/components/responses/PreconditionFailed' });
  t.truthy(at('log').get.responses[404]);
  for (const [, section = '', name = ''] of text.matchAll(/#\/components\/(responses|headers|parameters)\/([^"]+)"/g)) {
    t.truthy({ responses, headers, parameters }[section]?.[name], name);
  }
  t.is(parameters.force, undefined);
});

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';

test('a watch is described by its events beside the list', async (t) => {
  const { json } = await describedParts(t);
  const list = json.components.responses['io.k8s.api.core.v1.ConfigMapList'];
  t.regex(list.content['application/json;stream=watch'].schema.$ref, /WatchEvent$/);
  t.regex(list.content['application/json'].schema.$ref, /ConfigMapList$/);
});

test('a merge patch and the object of a watch have any fields, which a generator reads as none where it is not said', async (t) => {
  const { json } = await describedParts(t);
  const { [`${meta}.Patch`]: patch, [`${meta}.WatchEvent`]: event } = json.components.schemas;
  t.is(patch.additionalProperties, true);
  t.is(event.properties.object.additionalProperties, true);
});

test('headers of deprecated versions are described where there are some', async (t) => {
  const old = { ...application, deprecated: { since: '2026-06-01', removedAfter: '2027-06-01', instead: 'v1' } };
  const { ask } = await startServer(t, { engines: () => new Map([['platform', createFakeEngine([old])]]) });
  const { json } = await ask('/openapi/v3/apis/apps.tappaas.dev/v1alpha1');
  t.truthy(json.components.headers.Sunset);
  t.truthy(json.components.responses.NotFound.headers.Deprecation);
});

test('every operation has a name of its own', async (t) => {
  const { json } = await describedParts(t);
  const ids = Object.values(json.paths).flatMap((item) => Object.values(item as object).flatMap(({ operationId = [] }) => operationId));
  t.is(new Set(ids).size, ids.length, ids.join(' '));
});

test('a part whose body is a kind of Kubernetes is described by that', async (t) => {
  const { ask } = await startServer(t, { engines: engines() });
  const { json } = await ask('/openapi/v3/apis/apps.tappaas.dev/v1alpha1');
  const { get } = json.paths['/apis/apps.tappaas.dev/v1alpha1/namespaces/{namespace}/applications/{name}/scale'];
  t.deepEqual(get.responses[200], { $ref: '#/components/responses/io.k8s.api.autoscaling.v1.Scale' });
  t.truthy(json.components.schemas['io.k8s.api.autoscaling.v1.Scale'].properties.spec);
});

test('readiness tells each check to who asks for that, and a check that throws or hangs has failed', async (t) => {
  let good = true;
  const { ask } = await startServer(t, {
    ready: () => [
      { name: 'store', check: () => good },
      {
        name: 'caches',
        check: () => {
          if (!good) throw new Error('secret');
          return true;
        },
      },
    ],
  });
  t.is((await ask('/readyz', { as: '' })).text, 'ok');
  t.is((await ask('/readyz?verbose', { as: '' })).text, '[+]listener ok\n[+]store ok\n[+]caches ok\nreadyz check passed\n');
  good = false;
  const failed = await ask('/readyz', { as: '' });
  t.is(failed.status, 503);
  t.is(failed.text, '[+]listener ok\n[-]store failed\n[-]caches failed\nreadyz check failed\n');
  t.is((await ask('/livez', { as: '' })).status, 200);
});

test('metrics are for callers', async (t) => {
  const { ask } = await startServer(t, { metrics: async () => 'up 1\n' });
  const answer = await ask('/metrics');
  t.is(answer.text, 'up 1\n');
  t.regex(String(answer.headers['content-type']), /^text\/plain/);
});

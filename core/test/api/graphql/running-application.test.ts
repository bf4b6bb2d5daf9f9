import test, { type ExecutionContext } from 'ava';
import { objectErrors } from '@tappaas/sdk';
import type { ServedSubresource } from '../../../dist/api/contributions.js';
import type { EnginePort, ListQuery } from '../../../dist/ports/engine.js';
import type { PlacementDecision } from '../../../dist/api/graphql/ports.js';
import { application, kindPaths, release, startGraphql, type GraphqlServer } from './graphql-server.ts';

const env = (value: object[]) => ({ spec: { template: { spec: { containers: [{ name: 'web', env: value }] } } } });

/** What the application's release has rendered. */
const objects = [
  { apiVersion: 'v1', kind: 'Service', metadata: { name: 'shop-web', namespace: 'team' }, spec: {} },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop-web', namespace: 'team' },
    ...env([
      { name: 'LOG_LEVEL', value: 'debug' },
      { name: 'NODE_ENV', value: 'production' },
      { name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'database-1', key: 'url' } } },
      { name: 'ADDED', value: 'by a plugin' },
    ]),
  },
  {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'shop-nightly', namespace: 'team' },
    spec: {
      jobTemplate: {
        spec: {
          template: {
            spec: {
              containers: [{ name: 'nightly', env: [{ name: 'REGION', valueFrom: { configMapKeyRef: { name: 'places', key: 'eu' } } }] }],
            },
          },
        },
      },
    },
  },
];

const spec = {
  processes: [
    { name: 'web', env: [{ name: 'LOG_LEVEL', value: 'debug' }] },
    { name: 'nightly', schedule: '0 3 * * *' },
  ],
  env: [
    { name: 'NODE_ENV', value: 'production' },
    { name: 'LOG_LEVEL', value: 'info' },
  ],
};

const decided: PlacementDecision = {
  atMs: Date.UTC(2026, 0, 2),
  attempt: 2,
  outcome: 'placed',
  nodes: 3,
  feasibleNodes: 1,
  refused: [{ plugin: 'resources', message: 'too little cpu is free', nodes: 2 }],
  chosen: { node: 'node-1', parts: [{ plugin: 'resources', points: 0.5, weight: 1 }] },
};

const podOf = (application: string, uid: string, process = 'web') => ({
  object: {
    metadata: {
      name: `${application}-${process}-${uid}`,
      namespace: 'team',
      uid,
      labels: { 'app.kubernetes.io/instance': application, 'app.kubernetes.io/component': process },
    },
    spec: { nodeName: 'node-1' },
  },
});
type Pod = ReturnType<typeof podOf>;

const path = (name: string): string => `/apis/apps.tappaas.dev/v1alpha1/namespaces/team/applications/${name}/status`;
const headers = { 'content-type': 'application/merge-patch+json' };

/** Applications that serve from a cluster with these pods, of which one is decided about. */
async function serving(
  t: ExecutionContext,
  {
    names = ['shop'],
    pods = [podOf('shop', '1'), podOf('shop', '2')],
    rendered = objects,
    log: handle = () => ({ status: 200, body: 'here\n' }),
  }: {
    readonly names?: readonly string[];
    readonly pods?: readonly Pod[];
    readonly rendered?: readonly object[];
    readonly log?: (request: { readonly key: { readonly name: string } }) => object;
  } = {},
) {
  const requested: (readonly string[])[] = [];
  const limits: number[] = [];
  const listed = new Set<string | undefined>();
  const list = async ({ target, limit = 0, continueToken = '0', labelSelector = '' }: ListQuery) => {
    limits.push(limit);
    listed.add(target.namespace);
    const meant = /in \((.*)\)/.exec(labelSelector)?.[1]?.split(',') ?? [];
    const all = pods.filter(({ object }) => meant.includes(object.metadata.labels['app.kubernetes.io/instance']));
    const end = Number(continueToken) + limit;
    return { items: all.slice(Number(continueToken), end), ...(end < all.length && { continueToken: String(end) }) };
  };
  const log = { engine: 'local', group: '', plural: 'pods', name: 'log', method: 'GET', handle };
  const server: GraphqlServer = await startGraphql(t, {
    engines: () =>
      new Map([
        ['platform', server.engine as EnginePort],
        ['local', { list } as unknown as EnginePort],
      ]),
    subresources: () => [log as unknown as ServedSubresource],
    clusterNamespace: async (cluster, namespace) => (cluster === 'local' ? { name: `on-${cluster}-${namespace}` } : 'unknown-cluster'),
    placements: async (uids) => {
      requested.push(uids);
      return uids.map((uid) => (uid === '1' ? decided : undefined));
    },
  });
  for (const name of names) {
    const made = await server.put(kindPaths.applications, application(name, spec));
    const { spec: first, metadata } = release(made, 1) as { readonly spec: object; readonly metadata: { readonly name: string } };
    await server.put(kindPaths.releases, { metadata: { ...metadata, namespace: 'team' }, spec: { ...first, objects: rendered } });
    t.is((await server.http(path(name), { method: 'PATCH', body: { status: { release: `${name}-1` } }, headers })).status, 200);
  }
  return { server, requested, limits, listed };
}

test('why each pod runs where it does is told, and asked for once for all of them', async (t) => {
  const { server, requested } = await serving(t);
  const query = `{ application(namespace: "team", name: "shop") { pods { node placement {
    outcome node attempt nodes feasibleNodes decidedAt message scores { plugin points weight } refused { plugin message nodes } } } } }`;
  for (const _ of ['executed', 'compiled']) {
    const { pods } = (await server.ask(query)).json.data.application;
    const { atMs: _at, chosen, outcome: _outcome, ...reported } = decided;
    const placement = {
      ...reported,
      outcome: 'PLACED',
      node: 'node-1',
      scores: chosen?.parts,
      message: null,
      decidedAt: '2026-01-02T00:00:00.000Z',
    };
    t.deepEqual(pods, [
      { node: 'node-1', placement },
      { node: 'node-1', placement: null },
    ]);
  }
  t.deepEqual(requested, [
    ['1', '2'],
    ['1', '2'],
  ]);
});

test('pods are looked for in the namespace that the cluster has for the application’s, whatever the release says', async (t) => {
  const rendered = [{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'shop-web', namespace: 'on-local-other' }, spec: {} }];
  const { server, listed } = await serving(t, { rendered });
  const { json } = await server.ask('{ application(namespace: "team", name: "shop") { pods { name } logs(tail: 10) { text } } }');
  t.is(json.data.application.pods.length, 2);
  t.deepEqual([...listed], ['on-local-team']);
});

const many = (application: string, count: number, process = 'web'): readonly Pod[] =>
  Array.from({ length: count }, (_, index) => podOf(application, `${application}-${index}`, process));

test('all pods of all applications of a page are told, and of more than 10,000 an error and no part of them', async (t) => {
  const query = '{ applications(first: 100) { nodes { name pods { name } } } }';
  const reported = await serving(t, { names: ['market', 'shop'], pods: [...many('market', 990), ...many('shop', 20)] });
  const { nodes } = (await reported.server.ask(query)).json.data.applications;
  t.deepEqual(
    nodes.map(({ name, pods }: { readonly name: string; readonly pods: readonly unknown[] }) => [name, pods.length]),
    [
      ['market', 990],
      ['shop', 20],
    ],
  );
  t.deepEqual(reported.limits, [1_000, 1_000], 'read together, in pages');
  const crowded = await serving(t, { pods: many('shop', 10_001) });
  const { json } = await crowded.server.ask(query);
  t.is(json.errors[0].extensions.code, 'TAP_GRAPHQL_TOO_COSTLY');
  t.is(crowded.limits.length, 10);
});

test('the output of more than 100 pods is refused with their number, and told when a process of fewer is named', async (t) => {
  const pods = [...many('shop', 100), ...many('shop', 3, 'mail')];
  const { server } = await serving(t, { pods });
  const logs = (process: string) => `{ application(namespace: "team", name: "shop") { logs(tail: 200${process}) { pod } } }`;
  const [refused] = (await server.ask(logs(''))).json.errors;
  t.is(refused.extensions.code, 'TAP_GRAPHQL_TOO_COSTLY');
  t.regex(refused.message, /103 pods.*at most 100.*process/);
  t.is((await server.ask(logs(', process: "web"'))).json.data.application.logs.length, 100);
});

/** A pod in a phase. */
const inPhase = (uid: string, phase: string) => {
  const { object } = podOf('shop', uid);
  return { object: { ...object, status: { phase } } };
};

/** The cluster's own answer about a pod that has not begun. */
const notBegun = Object.assign(new Error('container web has not started yet'), { status: 400 });

test('a pod that waits keeps nobody from the output of those that run', async (t) => {
  const pods = [inPhase('1', 'Pending'), inPhase('2', 'Running'), inPhase('3', 'Running')];
  const { server } = await serving(t, {
    pods,
    log: ({ key: { name } }) => {
      if (name.endsWith('-1')) throw notBegun;
      if (name.endsWith('-3')) throw objectErrors.TAP_OBJECT_NOT_FOUND({ message: 'it went after it was listed' });
      return { status: 200, body: 'here\n' };
    },
  });
  const { json } = await server.ask('{ application(namespace: "team", name: "shop") { logs { pod text } } }');
  t.deepEqual(json, { data: { application: { logs: [{ pod: 'shop-web-2', text: 'here' }] } } });
});

test('when no pod has started, its cluster says why there is no output', async (t) => {
  const { server } = await serving(t, {
    pods: [inPhase('1', 'Pending')],
    log: () => {
      throw objectErrors.TAP_OBJECT_CONFLICT({ message: 'container web has not started yet' });
    },
  });
  const { json } = await server.ask('{ application(namespace: "team", name: "shop") { logs { text } } }');
  t.is(json.errors[0].message, 'container web has not started yet');
});

test('what processes really get is told with who sets it, and what a Secret holds is not', async (t) => {
  const { server } = await serving(t);
  const query = `query C($process: String) { application(namespace: "team", name: "shop") {
    configuration(process: $process) { process name value source reference { kind name key } } } }`;
  const reported = async (process?: string) => (await server.ask(query, { process })).json.data.application.configuration;
  const web = [
    { process: 'web', name: 'LOG_LEVEL', value: 'debug', source: 'PROCESS', reference: null },
    { process: 'web', name: 'NODE_ENV', value: 'production', source: 'APPLICATION', reference: null },
    {
      process: 'web',
      name: 'DATABASE_URL',
      value: null,
      source: 'RENDERED',
      reference: { kind: 'Secret', name: 'database-1', key: 'url' },
    },
    { process: 'web', name: 'ADDED', value: 'by a plugin', source: 'RENDERED', reference: null },
  ];
  const nightly = {
    process: 'nightly',
    name: 'REGION',
    value: null,
    source: 'RENDERED',
    reference: { kind: 'ConfigMap', name: 'places', key: 'eu' },
  };
  t.deepEqual(await reported(), [...web, nightly]);
  t.deepEqual(await reported('web'), web);
  t.deepEqual(await reported('none'), []);
});

test('before there is a release nothing is configured, and whoever may not list pods learns no placement', async (t) => {
  const { server } = await serving(t);
  await server.put(kindPaths.applications, application('new', {}, 'other'));
  const { json } = await server.ask(
    '{ application(namespace: "other", name: "new") { configuration { name } pods { placement { node } } } }',
  );
  t.deepEqual(json.data.application, { configuration: [], pods: [] });
  const refused = await server.ask('{ application(namespace: "team", name: "shop") { pods { placement { node } } } }', undefined, {
    as: 'nobody',
  });
  t.is(refused.json.errors[0].extensions.code, 'TAP_REQUEST_FORBIDDEN');
  t.is(refused.json.data?.application ?? null, null);
});

import test from 'ava';
import type { EnginePort } from '../../../dist/ports/engine.js';
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

/** An application that serves from a cluster with two pods, of which one is decided about. */
async function serving(t: { teardown(close: () => Promise<void>): void; is(one: unknown, other: unknown): void }) {
  const asked: (readonly string[])[] = [];
  const pod = (uid: string) => ({
    object: {
      metadata: { name: `shop-web-${uid}`, namespace: 'team', uid, labels: { 'app.kubernetes.io/instance': 'shop' } },
      spec: { nodeName: 'node-1' },
    },
  });
  const local = { list: async () => ({ items: [pod('1'), pod('2')] }) };
  const server: GraphqlServer = await startGraphql(t, {
    engines: () =>
      new Map([
        ['platform', server.engine as EnginePort],
        ['local', local as unknown as EnginePort],
      ]),
    placements: async (uids) => {
      asked.push(uids);
      return uids.map((uid) => (uid === '1' ? decided : undefined));
    },
  });
  const made = await server.put(kindPaths.applications, application('shop', spec));
  const { spec: rendered, metadata } = release(made, 1) as { readonly spec: object; readonly metadata: { readonly name: string } };
  await server.put(kindPaths.releases, { metadata: { ...metadata, namespace: 'team' }, spec: { ...rendered, objects } });
  const path = '/apis/apps.tappaas.dev/v1alpha1/namespaces/team/applications/shop/status';
  const headers = { 'content-type': 'application/merge-patch+json' };
  t.is((await server.http(path, { method: 'PATCH', body: { status: { release: 'shop-1' } }, headers })).status, 200);
  return { server, asked };
}

test('why each pod runs where it does is told, and asked for once for all of them', async (t) => {
  const { server, asked } = await serving(t);
  const query = `{ application(namespace: "team", name: "shop") { pods { node placement {
    outcome node attempt nodes feasibleNodes decidedAt message scores { plugin points weight } refused { plugin message nodes } } } } }`;
  for (const _ of ['executed', 'compiled']) {
    const { pods } = (await server.ask(query)).json.data.application;
    const { atMs: _at, chosen, outcome: _outcome, ...told } = decided;
    const placement = {
      ...told,
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
  t.deepEqual(asked, [
    ['1', '2'],
    ['1', '2'],
  ]);
});

test('what processes really get is told with who sets it, and what a Secret holds is not', async (t) => {
  const { server } = await serving(t);
  const query = `query C($process: String) { application(namespace: "team", name: "shop") {
    configuration(process: $process) { process name value source reference { kind name key } } } }`;
  const told = async (process?: string) => (await server.ask(query, { process })).json.data.application.configuration;
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
  t.deepEqual(await told(), [...web, nightly]);
  t.deepEqual(await told('web'), web);
  t.deepEqual(await told('none'), []);
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

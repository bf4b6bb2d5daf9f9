/** An application uses a Secret, and plugins have secrets of their own: no output of the platform contains any of them. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createClient, type Client, type RoomRequest } from '@tappaas/client';
import { buildClientSchema, getIntrospectionQuery, type IntrospectionQuery } from 'graphql';
import { everyCommand, placeForCommands } from '../every-command.ts';
import { everyPlugin } from '../every-plugin.ts';
import { call, eventually } from '../platform-process.ts';
import { formsOf, isClean as searchFor } from './canaries.ts';
import { everySelection } from './graphql-selections.ts';
import { make, runPlatform, type RunningPlatform } from './running-platform.ts';

/** By where they are planted. */
const canaries = {
  ofApplication: 'canary-4f6d0b7f7a1e4c58',
  ofProvider: 'canary-90a4c3d21be84f67',
  ofReceiver: 'canary-b7713a5fd9c04e12',
  ofRedis: 'canary-2ce85b16f0a94d33',
};
const needles = Object.values(canaries).flatMap(formsOf);
const isClean = (t: ExecutionContext, where: string, text: string): void => searchFor(t, where, text, needles);

let running: RunningPlatform;
let client: Client;
const undo: (() => Promise<unknown>)[] = [];

test.before('a platform with every plugin runs an application that uses a Secret', async (t) => {
  t.timeout(180_000);
  const every = await everyPlugin();
  undo.push(() => every.close());
  const { plugins } = every;
  const withSecrets = {
    oidc: added(plugins['oidc'], ({ issuers: [issuer] }) => ({ issuers: [{ ...issuer, clientSecret: { env: 'OF_PROVIDER' } }] })),
    receiver: added(plugins['receiver'], () => ({ token: { env: 'OF_RECEIVER' } })),
    'sockets-redis': added(plugins['sockets-redis'], () => ({ password: { env: 'OF_REDIS' } })),
  };
  running = await runPlatform(
    { ...plugins, ...withSecrets },
    {
      api: { port: 0, strangersPerMinuteMax: 1_000_000, graphqlIntrospection: true },
      audit: { level: 'RequestResponse', omitStages: [] },
    },
    { OF_PROVIDER: canaries.ofProvider, OF_RECEIVER: canaries.ofReceiver, OF_REDIS: canaries.ofRedis },
  );
  undo.push(() => running.stop());
  const { server, token, ca } = running.connection;
  client = createClient({ server, token, certificateAuthority: ca.toString() });
  undo.push(() => client.close());
  const secret = { metadata: { name: 'kept' }, type: 'Opaque', stringData: { password: canaries.ofApplication } };
  await make(running.connection, '/api/v1/namespaces/default/secrets', secret);
  await placeForCommands(running.directory);
  await writeFile(
    join(running.directory, 'hello/tappaas.yaml'),
    'spec: { env: { PASSWORD: { from: { secret: { name: kept, key: password } } } } }\n',
  );
  const { code, stdout, stderr } = await running.tappaas('deploy', 'hello');
  if (code !== 0) throw new Error(`${stdout}${stderr}`);
});

test.after.always('the platform is stopped', async () => {
  for (const stop of undo.toReversed()) await stop();
});

interface Configured {
  readonly config: { readonly issuers: readonly object[] };
}

function added(plugin: object | undefined, more: (config: Configured['config']) => object): object {
  const { config } = plugin as Configured;
  return { ...plugin, config: { ...config, ...more(config) } };
}

interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

interface Served extends Resource {
  readonly engine: string;
  readonly group: string;
  readonly version: string;
}

interface Listed {
  readonly items?: readonly { readonly metadata: { readonly name: string; readonly namespace?: string } }[];
}

const engines = ['', '/clusters/local'];
const at = ({ engine, group, version }: Pick<Served, 'engine' | 'group' | 'version'>): string =>
  `${engine}/${group === '' ? 'api' : `apis/${group}`}/${version}`;

async function answer(path: string): Promise<{ readonly status: number; readonly text: string }> {
  return call(running.connection, 'GET', path);
}

/** Everything that an engine serves, by discovery. */
async function servedBy(engine: string): Promise<readonly Served[]> {
  const groups = JSON.parse((await answer(`${engine}/apis`)).text) as {
    readonly groups: readonly { readonly name: string; readonly versions: readonly { readonly version: string }[] }[];
  };
  const places = [
    { engine, group: '', version: 'v1' },
    ...groups.groups.flatMap(({ name, versions }) => versions.map(({ version }) => ({ engine, group: name, version }))),
  ];
  const found = await Promise.all(
    places.map(async (place) => {
      const { resources } = JSON.parse((await answer(at(place))).text) as { readonly resources: readonly Resource[] };
      return resources.map((resource) => ({ ...resource, ...place }));
    }),
  );
  return found.flat();
}

/** The data of a Secret is returned to users who may read it; the rest of the response is searched. */
function withoutValues(text: string): string {
  return JSON.stringify(JSON.parse(text, (name, value: unknown) => (name === 'data' || name === 'stringData' ? null : value)));
}

const searched = ({ kind }: Pick<Served, 'kind'>, text: string): string => (kind === 'Secret' ? withoutValues(text) : text);

test.serial('objects of every kind and their parts, of the platform and of the cluster, as JSON and as tables', async (t) => {
  t.timeout(180_000);
  const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  let objects = 0;
  for (const served of (await Promise.all(engines.map(servedBy))).flat()) {
    if (!served.verbs.includes('list')) continue;
    const path = `${at(served)}/${served.name}`;
    const { status, text } = await answer(path);
    t.is(status, 200, path);
    if (served.kind === 'Secret')
      t.true(
        needles.some((needle) => text.includes(needle)),
        `${path} has what is searched for`,
      );
    isClean(t, path, searched(served, text));
    isClean(t, `${path} as a table`, (await call(running.connection, 'GET', path, undefined, undefined, table)).text);
    objects += (JSON.parse(text) as Listed).items?.length ?? 0;
  }
  t.true(objects > 50, `${objects} objects`);
  for (const engine of engines) {
    const served = await servedBy(engine);
    for (const part of served.filter(({ name, verbs }) => name.includes('/') && verbs.includes('get'))) {
      const [plural = '', subresource = ''] = part.name.split('/');
      if (['exec', 'attach', 'portforward', 'proxy'].includes(subresource)) continue;
      const { items = [] } = JSON.parse((await answer(`${at(part)}/${plural}`)).text) as Listed;
      for (const { metadata } of items.slice(0, 20)) {
        const within = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
        const path = `${at(part)}${within}/${plural}/${metadata.name}/${subresource}`;
        isClean(t, path, (await answer(path)).text);
      }
    }
  }
});

test.serial('everything that GraphQL tells of objects, asked for and followed', async (t) => {
  t.timeout(180_000);
  const introspected = await client.graphql<IntrospectionQuery>({ query: getIntrospectionQuery() });
  const hidden = new Set(['Secret.data', 'Secret.stringData']);
  const { queries, subscriptions } = everySelection(buildClientSchema(introspected), hidden);
  const received = new Set<string>();
  for (const { field, text } of queries) {
    const { data, errors } = (await call(running.connection, 'POST', '/graphql', { query: text })).json<{
      readonly data?: Readonly<Record<string, { readonly nodes?: readonly object[] }>>;
      readonly errors?: readonly object[];
    }>();
    t.deepEqual(errors ?? [], [], text);
    isClean(t, text, JSON.stringify(data));
    if ((data?.[field]?.nodes?.length ?? 0) > 0) received.add(field);
  }
  for (const field of ['applications', 'releases', 'operations', 'builds', 'secrets', 'plugins']) t.true(received.has(field), field);
  const singular = [...received].map((field) => field.replace(/ies$/, 'y').replace(/s$/, ''));
  let followed = 0;
  for (const { field, text } of subscriptions) {
    if (!singular.includes(field.replace(/Changes$/, ''))) continue;
    const enough = new AbortController();
    for await (const event of client.subscribe(text, {}, { signal: enough.signal, resume: 'never' })) {
      isClean(t, text, JSON.stringify(event));
      followed += 1;
      break;
    }
    enough.abort();
  }
  t.true(followed > 30, `${followed} subscriptions`);
});

test.serial('rooms of every kind, of logs and of metrics', async (t) => {
  t.timeout(180_000);
  const served = (await Promise.all(engines.map(servedBy))).flat().filter(({ verbs }) => verbs.includes('watch'));
  const engineOf = (engine: string) => (engine === '' ? {} : { engine: 'local' });
  const rooms: readonly RoomRequest[] = [
    ...served.map(({ engine, group, version, name }) => ({
      topic: 'objects' as const,
      version,
      plural: name,
      ...(group !== '' && { group }),
      ...engineOf(engine),
    })),
    { topic: 'events' },
    { topic: 'events', engine: 'local' },
    { topic: 'operations' },
  ];
  for (const request of rooms) {
    const leaving = new AbortController();
    for await (const message of client.room(request, leaving.signal)) {
      const text = JSON.stringify(message);
      const isOfSecrets = 'plural' in request && request.plural === 'secrets';
      isClean(t, JSON.stringify(request), isOfSecrets ? withoutValues(text) : text);
      if (message.type === 'SYNCED') break;
    }
    leaving.abort();
  }
  const { items = [] } = JSON.parse((await answer('/clusters/local/api/v1/pods')).text) as Listed;
  t.true(items.length > 0);
  const { name: pod, namespace = '' } = items[0]?.metadata ?? { name: '' };
  for (const request of [
    { topic: 'logs', engine: 'local', namespace, pod },
    { topic: 'metrics', names: ['tappaas_audit_waiting_lines'] },
  ] satisfies RoomRequest[]) {
    const leaving = new AbortController();
    for await (const message of client.room(request, leaving.signal)) {
      isClean(t, JSON.stringify(request), JSON.stringify(message));
      break;
    }
    leaving.abort();
  }
});

test.serial('what every command prints, for people and for programs', async (t) => {
  t.timeout(300_000);
  for (const format of [[], ['-o', 'wide'], ['-o', 'json']]) {
    for (const { words } of everyCommand(running.connection)) {
      const { stdout, stderr } = await running.tappaas(...words, ...format);
      isClean(t, [...words, ...format].join(' '), stdout + stderr);
    }
  }
});

test.serial('pages, metrics, the log and the audit log', async (t) => {
  for (const path of ['/metrics', '/readyz?verbose', '/version', '/audit?limit=1000', '/openapi/v3']) {
    const { status, text } = await answer(path);
    t.is(status, 200, path);
    isClean(t, path, text);
  }
  for (const served of running.platform.paths()) {
    if (/^GET \/plugins\/[^:]*$/.test(served)) isClean(t, served, (await answer(served.slice(4))).text);
  }
  // Lines are gathered before they are written.
  await eventually(
    () => answer('/audit?verb=delete&limit=100'),
    ({ text }) => text.includes('"resource":"applications"'),
  );
  const { stdout } = await running.tappaas('audit', 'export');
  t.true(stdout.split('\n').length > 200);
  isClean(t, 'the audit log', stdout);
  t.true(running.logged.length > 0);
  isClean(t, 'the log', running.logged.join(''));
});

test.serial('files that the platform keeps', async (t) => {
  const entries = await readdir(running.directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  t.true(files.length > 5);
  for (const file of files.filter((each) => !each.includes('node_modules'))) isClean(t, file, await readFile(file, 'latin1'));
});

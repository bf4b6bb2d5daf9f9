/** The API served by processes of its own: they agree, one may be killed, all may be replaced, and nobody notices. */
import { execFile } from 'node:child_process';
import { request } from 'node:https';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { parse } from 'yaml';
import { call, eventually, platformHome, type PlatformHome, type PlatformProcess } from '../platform-process.ts';

const collection = '/api/v1/namespaces/default/configmaps';
const storeOnly = { local: null, standard: null, source: null, builds: null, applications: null, resources: null };

interface ConfigMap {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly data: { readonly value: string };
}

const configMap = (name: string, value: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value } });

async function withWorkers(t: ExecutionContext): Promise<{ readonly home: PlatformHome; readonly platform: PlatformProcess }> {
  t.timeout(2 * 60_000);
  const home = await platformHome({ plugins: storeOnly, api: { workers: 2 } });
  const platform = await home.start();
  t.teardown(async () => {
    await platform.stop();
    await home.remove();
  });
  return { home, platform };
}

async function workersOf({ child }: PlatformProcess): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)('ps', ['--ppid', String(child.pid), '-o', 'pid=,args=']);
  return stdout
    .split('\n')
    .filter((line) => line.includes('worker.js'))
    .map((line) => Number.parseInt(line, 10));
}

test.serial('what one worker has written, every worker reads at once', async (t) => {
  const { platform } = await withWorkers(t);
  const asked = new Set<string>();
  for (let round = 0; round < 40; round += 1) {
    const path = `${collection}/same`;
    const written =
      round === 0
        ? await platform.api('POST', collection, configMap('same', '0'))
        : await platform.api('PATCH', path, { data: { value: String(round) } }, 'application/merge-patch+json');
    t.true(written.status < 300, written.text);
    const read = await Promise.all([1, 2, 3, 4].map(() => platform.api('GET', path)));
    t.deepEqual(
      read.map((answer) => answer.json<ConfigMap>().data.value),
      Array.from({ length: 4 }, () => String(round)),
    );
    for (const { headers } of read) asked.add(String(headers['x-request-id']).split('-')[0] ?? '');
  }
  t.deepEqual([...asked].toSorted(), ['w1', 'w2']);
});

/** Follows a collection over connections that may break: from `first` on, then from the last event told. */
async function follow(home: PlatformHome, first: string, seen: Map<string, number>, isOver: () => boolean): Promise<readonly string[]> {
  const faults: string[] = [];
  const kubeconfig = parse(await readFile(join(home.directory, 'data/kubeconfig'), 'utf8')) as {
    clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
    users: { user: { token: string } }[];
  };
  const { server, 'certificate-authority-data': ca } = kubeconfig.clusters[0]?.cluster ?? { server: '', 'certificate-authority-data': '' };
  const token = kubeconfig.users[0]?.user.token ?? '';
  let revision = first;
  const once = () =>
    new Promise<void>((ended) => {
      const url = new URL(`${collection}?watch=1&allowWatchBookmarks=true&resourceVersion=${revision}&timeoutSeconds=2`, server);
      const outgoing = request(url, { ca: Buffer.from(ca, 'base64'), headers: { authorization: `Bearer ${token}` }, agent: false });
      outgoing.on('error', () => ended());
      outgoing.on('response', (answer) => {
        let rest = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) take(JSON.parse(line) as { type: string; object: ConfigMap });
        });
        answer.on('error', () => ended());
        answer.on('close', () => ended());
      });
      outgoing.end();
    });
  const take = ({ type, object }: { type: string; object: ConfigMap }): void => {
    if (type === 'ERROR') faults.push(JSON.stringify(object));
    else revision = object.metadata.resourceVersion;
    if (type !== 'ADDED' && type !== 'MODIFIED') return;
    const value = Number(object.data.value);
    const before = seen.get(object.metadata.name) ?? -1;
    if (value !== before + 1) faults.push(`${object.metadata.name}: ${value} was told after ${before}`);
    seen.set(object.metadata.name, value);
  };
  while (!isOver()) await once();
  return faults;
}

/** Writes counters one after the other until told to end; each value is written until a worker has acknowledged it. */
async function count(platform: PlatformProcess, name: string, isOver: () => boolean, failed: (error: Error) => void): Promise<number> {
  let value = 0;
  while (!isOver()) {
    const wish = { ...configMap(name, String(value + 1)) };
    const answer = await platform.api('PUT', `${collection}/${name}`, wish).catch((error: Error) => {
      failed(error);
      return undefined;
    });
    if (answer === undefined) {
      // Nobody said whether it was written: what stands there is the truth.
      const found = await eventually(
        () => platform.api('GET', `${collection}/${name}`),
        ({ status }) => status === 200,
      );
      value = Number(found.json<ConfigMap>().data.value);
    } else if (answer.status === 200) value += 1;
    else throw new Error(`the platform answered ${answer.status}: ${answer.text}`);
  }
  return value;
}

test.serial('kill -9 of a worker under load loses nothing acknowledged, and watches go on without a gap', async (t) => {
  const { home, platform } = await withWorkers(t);
  let isOver = false;
  const seen = new Map<string, number>();
  const { resourceVersion } = (await platform.api('GET', collection)).json<{ metadata: { resourceVersion: string } }>().metadata;
  const following = follow(
    home,
    resourceVersion,
    seen,
    () => isOver && [...written].every(([name, value]) => (seen.get(name) ?? -1) >= value),
  );
  const written = new Map<string, number>();
  const names = ['a', 'b', 'c', 'd'];
  for (const name of names) await platform.api('POST', collection, configMap(name, '0'));
  const counting = names.map(async (name) => {
    const value = await count(
      platform,
      name,
      () => isOver,
      () => undefined,
    );
    written.set(name, value);
  });
  for (let round = 0; round < 3; round += 1) {
    const [victim] = await eventually(
      () => workersOf(platform),
      (pids) => pids.length === 2,
    );
    await eventually(
      async () => platform.output().split('is started again').length - 1,
      (ended) => ended === round,
    );
    process.kill(victim ?? 0, 'SIGKILL');
    await eventually(
      () => workersOf(platform),
      (pids) => pids.length === 2 && !pids.includes(victim ?? 0),
    );
  }
  isOver = true;
  await Promise.all(counting);
  t.deepEqual(await following, []);
  for (const name of names) {
    const found = (await platform.api('GET', `${collection}/${name}`)).json<ConfigMap>();
    t.is(Number(found.data.value), written.get(name));
    t.true((written.get(name) ?? 0) > 2, `${name} was written ${written.get(name)} times`);
  }
});

test.serial('all workers are replaced one after the other under load, and no request fails', async (t) => {
  const { platform } = await withWorkers(t);
  const before = await workersOf(platform);
  let isOver = false;
  const failures: string[] = [];
  const names = ['a', 'b', 'c'];
  for (const name of names) await platform.api('POST', collection, configMap(name, '0'));
  const counting = names.map((name) =>
    count(
      platform,
      name,
      () => isOver,
      (error) => failures.push(error.message),
    ),
  );
  const answer = await platform.api('POST', '/plugins/platform/replace-workers');
  t.deepEqual(answer.json(), { replacing: 2 });
  await eventually(
    () => workersOf(platform),
    (pids) => pids.length === 2 && pids.every((pid) => !before.includes(pid)),
    60_000,
  );
  isOver = true;
  const values = await Promise.all(counting);
  t.deepEqual(failures, []);
  t.true(values.every((value) => value > 2));
});

test.serial('a changed configuration reaches every worker', async (t) => {
  const { home, platform } = await withWorkers(t);
  const file = join(home.directory, 'tappaas.yaml');
  const configuration = JSON.parse(await readFile(file, 'utf8')) as { plugins: Record<string, object> };
  configuration.plugins['applications'] = { use: '@tappaas/controller-application' };
  await writeFile(file, JSON.stringify(configuration));
  const approved = await home.tappaas('plugins', 'approve', 'applications');
  t.is(approved.code, 0, approved.stderr);
  const reloaded = await platform.api('POST', '/plugins/platform/reload');
  t.like(reloaded.json(), { outcome: 'applied', added: ['applications'] }, reloaded.text);
  const told = await eventually(
    async () =>
      (await platform.api('GET', '/api/v1/namespaces/default/events?fieldSelector=reason=Reloaded')).json<{ items: object[] }>().items,
    (items) => items.length > 0,
  );
  t.like(told, [
    {
      involvedObject: { kind: 'Platform' },
      message: 'configuration taken over; added: applications, removed: none, turned off: none, restarted: none',
      count: 1,
    },
  ]);
  const lists = await Promise.all([1, 2, 3, 4].map(() => platform.api('GET', '/apis/apps.tappaas.dev/v1alpha1/applications')));
  t.deepEqual(
    lists.map(({ status }) => status),
    [200, 200, 200, 200],
  );
});

test.serial('the metrics of all processes stand on one page', async (t) => {
  const { platform } = await withWorkers(t);
  const { text } = await platform.api('GET', '/metrics');
  for (const process of ['primary', 'w1', 'w2']) t.regex(text, new RegExp(`process_resident_memory_bytes\\{process="${process}"\\} \\d+`));
  t.is(text.split('# TYPE process_resident_memory_bytes').length, 2);
});

test.serial('a token that is revoked is refused by every worker at once, not when they have forgotten it', async (t) => {
  t.timeout(2 * 60_000);
  const home = await platformHome({ plugins: { ...storeOnly, tokens: { use: '@tappaas/identity-token' } }, api: { workers: 2 } });
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const made = await home.tappaas('token', 'create', 'ci', '--user', 'ci', '--no-tenant', '--groups', 'ci', '--expires', '12h');
  const token = /tapp_[0-9a-f]{12}_[A-Za-z0-9_-]{43}/.exec(made.stdout)?.[0] ?? '';
  t.not(token, '', made.stderr);
  /** Asks until both workers have answered with a status: connections at the same time go to both. */
  const untilBoth = async (wanted: number): Promise<void> => {
    const workers = new Set<string>();
    await eventually(
      async () => {
        const answers = await Promise.all(Array.from({ length: 8 }, () => call({ ...platform.connection, token }, 'GET', '/version')));
        for (const { status, headers } of answers) if (status === wanted) workers.add(String(headers['x-request-id']).split('-')[0] ?? '');
        return workers.size;
      },
      (size) => size === 2,
    );
  };
  await untilBoth(200);
  const revoked = await home.tappaas('token', 'revoke', 'ci');
  t.is(revoked.code, 0, revoked.stderr);
  const sinceMs = performance.now();
  await untilBoth(401);
  t.true(performance.now() - sinceMs < 5_000, 'what a worker remembers would have been good for 10 s');
});

/** Counters that are written and followed over the API of a platform with workers, whatever happens to these. */
import { execFile } from 'node:child_process';
import { request } from 'node:https';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { parse } from 'yaml';
import { call, eventually, platformHome, storeOnly, type Connection, type PlatformHome, type PlatformProcess } from './platform-process.ts';

export const collection = '/api/v1/namespaces/default/configmaps';

export interface ConfigMap {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly data: { readonly value: string };
}

export const configMap = (name: string, value: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value } });

/** A platform with two of them; stopped and removed in the end. */
export async function withWorkers(t: ExecutionContext): Promise<{ readonly home: PlatformHome; readonly platform: PlatformProcess }> {
  t.timeout(2 * 60_000);
  const home = await platformHome({ plugins: storeOnly, api: { workers: 2 } });
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  return { home, platform };
}

/** Process ids, also of those that start. */
export async function workersOf({ child }: PlatformProcess): Promise<readonly number[]> {
  // It fails when there are none.
  const { stdout } = await promisify(execFile)('ps', ['--ppid', String(child.pid), '-o', 'pid=,args=']).catch(() => ({ stdout: '' }));
  return stdout
    .split('\n')
    .filter((line) => line.includes('worker.js'))
    .map((line) => Number.parseInt(line, 10));
}

/** Asks until both workers have answered with a status: connections at the same time go to both. */
export async function untilBothAnswer(connection: Connection, wanted: number): Promise<void> {
  const workers = new Set<string>();
  await eventually(
    async () => {
      // Connections that are used again would stay with the worker that they have.
      const ask = () => call(connection, 'GET', '/version', undefined, undefined, { connection: 'close' });
      const answers = await Promise.all(Array.from({ length: 8 }, ask));
      for (const { status, headers } of answers) if (status === wanted) workers.add(String(headers['x-request-id']).split('-')[0] ?? '');
      return workers.size;
    },
    (size) => size === 2,
  );
}

/** Follows a collection over connections that may break: from `first` on, then from the last event told. */
export async function follow(
  home: PlatformHome,
  first: string,
  seen: Map<string, number>,
  isOver: () => boolean,
): Promise<readonly string[]> {
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
export async function count(
  platform: PlatformProcess,
  name: string,
  isOver: () => boolean,
  failed: (error: Error) => void,
): Promise<number> {
  let value = 0;
  while (!isOver()) {
    const replacement = { ...configMap(name, String(value + 1)) };
    const answer = await platform.api('PUT', `${collection}/${name}`, replacement).catch((error: Error) => {
      failed(error);
      return undefined;
    });
    if (answer === undefined) {
      // Nobody said whether it was written: what stands there is the truth.
      const found = await eventually(
        () => platform.api('GET', `${collection}/${name}`),
        ({ status }) => status === 200,
      );
      const stands = Number(found.json<ConfigMap>().data.value);
      if (stands !== value && stands !== value + 1) throw new Error(`${name}: ${value} was acknowledged, and ${stands} stands there`);
      value = stands;
    } else if (answer.status === 200) value += 1;
    else throw new Error(`the platform answered ${answer.status}: ${answer.text}`);
  }
  return value;
}

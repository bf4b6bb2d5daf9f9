/**
 * The whole platform over HTTPS: reads answered a second by its own process and by two workers, and how long a read takes at half of the
 * greatest rate while 200 writes a second go on. The client shares the cores, so the factor says what is left of a second core.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { parse } from 'yaml';
import { platformHome } from '../platform-process.ts';
import { exchange, load, openSocket, requestText, type Place } from './api/load.ts';
import type { BenchmarkRow } from './row.ts';

const collection = '/api/v1/namespaces/default/configmaps';
const storeOnly = { local: null, standard: null, source: null, builds: null, applications: null, resources: null };
const connections = 16;
const objects = 100;
const writesPerSecond = 200;

interface Measured {
  readonly perSecond: number;
  readonly p99Ms: number;
}

export async function run({ smoke }: { readonly smoke: boolean }): Promise<BenchmarkRow[]> {
  const alone = await measure(0, smoke);
  const two = await measure(2, smoke);
  const row = (name: string, { perSecond }: Measured): BenchmarkRow => ({ name, value: perSecond, unit: 'requests/s' });
  return [
    row('GET one object, served by the platform’s process', alone),
    { ...row('the same, by two workers', two), peer: 'the platform’s process', ratio: two.perSecond / alone.perSecond },
    { name: 'GET at half of that rate beside 200 writes/s, p99', value: alone.p99Ms, unit: 'ms', target: '≤ 5 ms' },
    { name: 'the same, two workers, p99', value: two.p99Ms, unit: 'ms', target: '≤ 5 ms' },
  ];
}

async function measure(workers: number, smoke: boolean): Promise<Measured> {
  const home = await platformHome({ plugins: storeOnly, api: { workers } });
  const platform = await home.start();
  try {
    const place = await placeOf(home.directory);
    const sockets = await Promise.all(Array.from({ length: connections }, () => openSocket(place)));
    const [first] = sockets;
    if (first === undefined) throw new Error('there is no connection');
    for (let index = 0; index < objects; index += 1)
      await exchange(first, requestText('POST', collection, place.token, configMap(`c${index}`)));
    const get = (index: number): Buffer => requestText('GET', `${collection}/c${index % objects}`, place.token);
    const count = smoke ? 200 : 20_000;
    let best = 0;
    for (let turn = 0; turn < (smoke ? 1 : 3); turn += 1) {
      const startMs = performance.now();
      await load(sockets, count, 200, get);
      best = Math.max(best, (count * 1000) / (performance.now() - startMs));
    }
    const p99Ms = await latency(place, sockets, best / 2, smoke ? 500 : 10_000, get);
    for (const socket of sockets) socket.destroy();
    return { perSecond: best, p99Ms };
  } finally {
    await platform.stop();
    await home.remove();
  }
}

/** Reads at a steady rate, late ones counted from when they were due; writes go on beside them. */
async function latency(
  place: Place,
  sockets: readonly Socket[],
  perSecond: number,
  ms: number,
  get: (index: number) => Buffer,
): Promise<number> {
  const writer = await openSocket(place);
  const endMs = performance.now() + ms;
  const everyMs = (1000 * sockets.length) / perSecond;
  const took: number[] = [];
  const reading = sockets.map(async (socket, lane) => {
    let dueMs = performance.now() + (everyMs * lane) / sockets.length;
    for (let index = lane; dueMs < endMs; index += sockets.length) {
      await until(dueMs);
      await exchange(socket, get(index));
      took.push(performance.now() - dueMs);
      dueMs += everyMs;
    }
  });
  const writing = async (): Promise<void> => {
    for (let [index, dueMs] = [0, performance.now()]; dueMs < endMs; index += 1, dueMs += 1000 / writesPerSecond) {
      await until(dueMs);
      const change = JSON.stringify({ data: { count: String(index) } });
      await exchange(
        writer,
        requestText('PATCH', `${collection}/c${index % objects}`, place.token, change, 'application/merge-patch+json'),
      );
    }
  };
  await Promise.all([...reading, writing()]);
  writer.destroy();
  took.sort((a, b) => a - b);
  return took[Math.floor(took.length * 0.99)] ?? 0;
}

/** Timers are coarse: the last part of a wait turns with the event loop. */
async function until(dueMs: number): Promise<void> {
  const leftMs = dueMs - performance.now();
  if (leftMs > 2) await new Promise((resolve) => setTimeout(resolve, leftMs - 1));
  while (performance.now() < dueMs) await new Promise((resolve) => setImmediate(resolve));
}

async function placeOf(directory: string): Promise<Place> {
  const config = parse(await readFile(join(directory, 'data/kubeconfig'), 'utf8')) as {
    clusters: { cluster: { server: string } }[];
    users: { user: { token: string } }[];
  };
  return {
    port: Number(new URL(config.clusters[0]?.cluster.server ?? '').port),
    token: config.users[0]?.user.token ?? '',
    authority: await readFile(join(directory, 'data/ca.pem'), 'utf8'),
  };
}

function configMap(name: string): string {
  const data = { text: 'x'.repeat(600) };
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data });
}

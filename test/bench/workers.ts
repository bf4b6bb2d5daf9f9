/**
 * The whole platform over HTTPS: reads answered a second by its own process and by two workers, and how long a read takes while 200 writes
 * a second go on, at half of the greatest rate that can be kept up beside them. The client shares the cores, so the factor of rates says what is left of a second core;
 * the factor by processor time says what two workers serve where each has a core of its own.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { parse } from 'yaml';
import { platformHome } from '../platform-process.ts';
import { exchange, load, openSocket, requestText, type Place } from './api/load.ts';
import { latency, type Latency } from './api/latency.ts';
import type { BenchmarkRow } from './row.ts';

const collection = '/api/v1/namespaces/default/configmaps';
const storeOnly = { local: null, standard: null, source: null, builds: null, applications: null, resources: null };
/** The client is one administrator, whose rate would be what is measured. */
const flow = { system: { perSecond: 10_000_000, burst: 10_000_000 } };
const connections = 16;
const objects = 100;

interface Measured extends Latency {
  readonly perSecond: number;
  /** Of all processes that serve, together. */
  readonly perCpuSecond: number;
}

export async function run({ smoke }: { readonly smoke: boolean }): Promise<BenchmarkRow[]> {
  const alone = await measure(0, smoke);
  const two = await measure(2, smoke);
  const peer = 'the platform’s process';
  const rates = (name: string, { perSecond }: Measured): BenchmarkRow => ({ name, value: perSecond, unit: 'requests/s' });
  const costs = (name: string, { perCpuSecond }: Measured): BenchmarkRow => ({ name, value: perCpuSecond, unit: 'requests/CPU s' });
  const late = (name: string, { steadyPerSecond, writesPerSecond, usual, worstP99Ms, peer: bare }: Measured): BenchmarkRow[] => [
    { name: `${name}: greatest steady rate beside ${Math.round(writesPerSecond)} writes/s`, value: steadyPerSecond, unit: 'requests/s' },
    { name: 'at half of that rate, p50', value: usual.p50Ms, unit: 'ms', ...beside(usual.p50Ms, bare.p50Ms) },
    { name: 'the same, p99', value: usual.p99Ms, unit: 'ms', ...beside(usual.p99Ms, bare.p99Ms), target: '≤ 5 ms' },
    { name: 'the same, p99 of the worst of five windows', value: worstP99Ms, unit: 'ms' },
    { name: 'of which it waited until one of the connections was answered, p99', value: usual.crowdedP99Ms, unit: 'ms' },
    { name: 'of which the client sent late, p99', value: usual.clientP99Ms, unit: 'ms' },
  ];
  return [
    rates('GET one object, served by the platform’s process', alone),
    { ...rates('the same, by two workers, all on the cores of the client', two), peer, ratio: two.perSecond / alone.perSecond },
    costs('GET one object, processor time of the platform’s process', alone),
    { ...costs('the same, of two workers and the process that has the store', two), peer, ratio: two.perCpuSecond / alone.perCpuSecond },
    {
      name: 'what two workers serve by their processor time, each with a core of its own',
      value: 2 * two.perCpuSecond,
      unit: 'requests/s',
      peer,
      ratio: (2 * two.perCpuSecond) / alone.perCpuSecond,
    },
    ...late('GET, the platform’s process', alone),
    ...late('GET, two workers', two),
  ];
}

const beside = (value: number, bare: number): Pick<BenchmarkRow, 'peer' | 'ratio'> => ({
  peer: `bare node:https at that rate, without writes: ${bare.toPrecision(3)} ms`,
  ratio: value / bare,
});

async function measure(workers: number, smoke: boolean): Promise<Measured> {
  const home = await platformHome({ plugins: storeOnly, api: { workers, flow } });
  const platform = await home.start();
  try {
    const place = await placeOf(home.directory);
    const sockets = await openSockets(place, connections);
    const [first] = sockets;
    if (first === undefined) throw new Error('there is no connection');
    for (let index = 0; index < objects; index += 1)
      await exchange(first, requestText('POST', collection, place.token, configMap(`c${index}`)));
    const gets = Array.from({ length: objects }, (_, index) => requestText('GET', `${collection}/c${index}`, place.token));
    const get = (index: number): Buffer => gets[index % objects] ?? Buffer.alloc(0);
    const count = smoke ? 200 : 20_000;
    let [perSecond, perCpuSecond] = [0, 0];
    for (let turn = 0; turn < (smoke ? 1 : 3); turn += 1) {
      const [startMs, startCpu] = [performance.now(), await cpuSeconds(first, place)];
      await load(sockets, count, 200, get);
      perSecond = Math.max(perSecond, (count * 1000) / (performance.now() - startMs));
      perCpuSecond = Math.max(perCpuSecond, count / ((await cpuSeconds(first, place)) - startCpu));
    }
    for (const socket of sockets) socket.destroy();
    const writes = Array.from({ length: 10 * objects }, (_, index) => {
      const change = JSON.stringify({ data: { count: String(index) } });
      return requestText('PATCH', `${collection}/c${index % objects}`, place.token, change, 'application/merge-patch+json');
    });
    const late = await latency({ place, mostPerSecond: perSecond, reads: gets, writes, directory: home.directory, smoke });
    return { perSecond, perCpuSecond, ...late };
  } finally {
    await platform.stop();
    await home.remove();
  }
}

const openSockets = (place: Place, count: number): Promise<Socket[]> => Promise.all(Array.from({ length: count }, () => openSocket(place)));

/** Processor time of all processes that serve. */
async function cpuSeconds(socket: Socket, { token }: Place): Promise<number> {
  const { body } = await exchange(socket, requestText('GET', '/metrics', token));
  return [...body.toString().matchAll(/^process_cpu_seconds_total(?:\{[^}]*\})? (\S+)$/gm)].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  );
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

/**
 * How long reads of the whole platform take over HTTPS at half of the greatest steady rate, each counted from when it was due, while writes go on
 * beside them on connections of their own. What connections that never rest get answered a second is more than that rate: it comes in bundles, which
 * cost less each. Server and client have a processor each.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { localCertificates } from '../../core/dist/api/certificates/certificates.js';
import { exchange, openSocket, requestText, type Place } from './api/load.ts';
import { paced, type PaceResult } from './api/paced.ts';
import { keepOn } from './api/processor.ts';
import { greatestRate } from './api/rate.ts';
import { startServer, type Running } from './api/server-process.ts';
import { stolenMs } from './api/stolen.ts';
import { collection, objects, withPlatform, type WholePlatform } from './api/whole-platform.ts';
import type { BenchmarkRow } from './row.ts';

const writesPerSecond = 200;
const readingConnections = 64;
const writingConnections = 32;
/** A rate is kept up as long as half of the requests wait no longer than this. */
const steadyMsMax = 10;
/** Windows take turns with the peer's, so that what else the machine does meets both. */
const windowsCounted = 5;
/** In a window from which the host took more than this, its pauses are measured: further ones follow, up to `windowsMax`. */
const stolenMsMax = 50;
const windowsMax = 15;

export async function run({ smoke }: { readonly smoke: boolean }): Promise<BenchmarkRow[]> {
  return withPlatform(0, async (platform) => {
    const { perSecond } = await greatestRate(platform, smoke);
    const peer = await startPeer(platform);
    try {
      await keepOn('server', platform.pid);
      await keepOn('server', peer.child.pid);
      return rows(await measured(platform, peer, perSecond, smoke));
    } finally {
      peer.child.kill();
    }
  });
}

interface Measured {
  readonly steadyPerSecond: number;
  readonly own: readonly Window<Beside>[];
  /** Of bare node:https, which sends the same bytes at the same pace and has no writes. */
  readonly bare: readonly Window<PaceResult>[];
  readonly leftOut: number;
}

/** What was measured, and how much processor time the host took from the machine meanwhile. */
interface Window<T> {
  readonly measured: T;
  readonly stolenMs: number;
}

async function measured(platform: WholePlatform, peer: Running, mostPerSecond: number, smoke: boolean): Promise<Measured> {
  // Not counted: the first thousand writes show what becoming fast costs.
  await beside(platform, mostPerSecond / 2, 5_000, smoke);
  let steadyPerSecond = mostPerSecond;
  while (steadyPerSecond > mostPerSecond / 10 && (await beside(platform, steadyPerSecond, 3_000, smoke)).read.p50Ms > steadyMsMax)
    steadyPerSecond *= 0.9;
  const own: Window<Beside>[] = [];
  const bare: Window<PaceResult>[] = [];
  const wanted = smoke ? 1 : windowsCounted;
  const most = smoke ? 1 : windowsMax;
  while (own.length < most && (undisturbed(own) < wanted || undisturbed(bare) < wanted)) {
    own.push(await windowOf(async () => beside(platform, steadyPerSecond / 2, 10_000, smoke)));
    bare.push(await windowOf(async () => alone({ ...platform, place: placeOf(peer) }, steadyPerSecond / 2, 10_000, smoke)));
  }
  const counted = { own: leastStolen(own, wanted), bare: leastStolen(bare, wanted) };
  return { steadyPerSecond, ...counted, leftOut: own.length - counted.own.length };
}

async function windowOf<T>(measure: () => Promise<T>): Promise<Window<T>> {
  const before = await stolenMs();
  return { measured: await measure(), stolenMs: (await stolenMs()) - before };
}

const undisturbed = (windows: readonly Window<unknown>[]): number => windows.filter((each) => each.stolenMs <= stolenMsMax).length;

function leastStolen<T>(windows: readonly Window<T>[], count: number): readonly Window<T>[] {
  return windows.toSorted((a, b) => a.stolenMs - b.stolenMs).slice(0, count);
}

function rows({ steadyPerSecond, own, bare, leftOut }: Measured): BenchmarkRow[] {
  const reads = own.map(({ measured: { read } }) => read);
  const usual = middle(reads);
  const other = middle(bare.map((window) => window.measured));
  const writes = Math.round(Math.min(...own.map(({ measured: { written } }) => written.perSecond)));
  return [
    { name: `GET one object: greatest steady rate beside ${writes} writes/s`, value: steadyPerSecond, unit: 'requests/s' },
    { name: 'at half of that rate, p50', value: usual.p50Ms, unit: 'ms', ...comparedWith(usual.p50Ms, other.p50Ms) },
    { name: 'the same, p99', value: usual.p99Ms, unit: 'ms', ...comparedWith(usual.p99Ms, other.p99Ms), target: '≤ 5 ms' },
    { name: 'the same, p99 of the worst of five windows', value: Math.max(...reads.map(({ p99Ms }) => p99Ms)), unit: 'ms' },
    { name: 'of which it waited until one of the connections was answered, p99', value: usual.crowdedP99Ms, unit: 'ms' },
    { name: 'of which the client sent late, p99', value: usual.clientP99Ms, unit: 'ms' },
    {
      name: 'the most processor time that the host took in one of these windows',
      value: Math.max(...own.map((window) => window.stolenMs)),
      unit: 'ms',
    },
    { name: 'windows left out because it took more', value: leftOut, unit: '' },
  ];
}

const comparedWith = (value: number, bare: number): Pick<BenchmarkRow, 'peer' | 'ratio'> => ({
  peer: `bare node:https at that rate, without writes: ${bare.toPrecision(3)} ms`,
  ratio: value / bare,
});

async function startPeer({ place, reads, directory }: WholePlatform): Promise<Running> {
  const own = join(directory, 'peer');
  await mkdir(own);
  const { authority, tls } = await localCertificates({ directory: own, hosts: [], clock: { nowMs: () => Date.now() } });
  const socket = await openSocket(place);
  const answer = await exchange(socket, reads[0] ?? Buffer.alloc(0));
  socket.destroy();
  const answers = { get: answer, list: answer, create: answer, patch: answer };
  return startServer({ be: 'node:http', tls, answers, frame: Buffer.alloc(0) }, { tls, authority });
}

interface Beside {
  readonly read: PaceResult;
  readonly written: PaceResult;
}

const writes = Array.from({ length: 10 * objects }, (_, index) => JSON.stringify({ data: { count: String(index) } }));

async function beside({ place, reads }: WholePlatform, perSecond: number, ms: number, smoke: boolean): Promise<Beside> {
  const patch = (change: string, index: number): Buffer =>
    requestText('PATCH', `${collection}/c${index % objects}`, place.token, change, 'application/merge-patch+json');
  const [read, written] = await paced({
    place,
    ...duration(ms, smoke),
    paces: [
      { perSecond, connections: readingConnections, requests: reads },
      { perSecond: writesPerSecond, connections: writingConnections, requests: writes.map(patch) },
    ],
  });
  return { read: resultOf(read), written: resultOf(written) };
}

async function alone({ place, reads }: WholePlatform, perSecond: number, ms: number, smoke: boolean): Promise<PaceResult> {
  const [read] = await paced({ place, ...duration(ms, smoke), paces: [{ perSecond, connections: readingConnections, requests: reads }] });
  return resultOf(read);
}

/** What another process can be told. */
const placeOf = ({ port, token, authority }: Place): Place => ({ port, token, ...(authority !== undefined && { authority }) });

const duration = (ms: number, smoke: boolean): { warmMs: number; ms: number } => (smoke ? { warmMs: 0, ms: 500 } : { warmMs: 2_000, ms });

function resultOf(results: PaceResult | undefined): PaceResult {
  if (results === undefined) throw new Error('the client has told nothing');
  return results;
}

function middle(windows: readonly PaceResult[]): PaceResult {
  return resultOf(windows.toSorted((a, b) => a.p99Ms - b.p99Ms)[Math.floor(windows.length / 2)]);
}

/**
 * How long reads of the whole platform take over HTTPS at half of the greatest steady rate, each counted from when it was due, while writes go on
 * beside them on connections of their own. What connections that never rest get answered a second is more than that rate: it comes in bundles, which
 * cost less each. Server and client have a processor each.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { localCertificates } from '../../core/dist/api/certificates/certificates.js';
import { exchange, openSocket, requestText, type Place } from './api/load.ts';
import { paced, type Kept } from './api/paced.ts';
import { keepOn } from './api/processor.ts';
import { greatestRate } from './api/rate.ts';
import { startServer, type Running } from './api/server-process.ts';
import { collection, objects, withPlatform, type WholePlatform } from './api/whole-platform.ts';
import type { BenchmarkRow } from './row.ts';

const writesPerSecond = 200;
const readingConnections = 64;
const writingConnections = 32;
/** A rate is kept up as long as half of the requests wait no longer than this. */
const steadyMsMax = 10;
/** Windows take turns with the peer's, so that what else the machine does meets both. */
const turns = 5;

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
  readonly own: readonly Beside[];
  /** Of bare node:https, which sends the same bytes at the same pace and has no writes. */
  readonly bare: readonly Kept[];
}

async function measured(platform: WholePlatform, peer: Running, mostPerSecond: number, smoke: boolean): Promise<Measured> {
  // Not counted: the first thousand writes show what becoming fast costs.
  await beside(platform, mostPerSecond / 2, 5_000, smoke);
  let steadyPerSecond = mostPerSecond;
  while (steadyPerSecond > mostPerSecond / 10 && (await beside(platform, steadyPerSecond, 3_000, smoke)).read.p50Ms > steadyMsMax)
    steadyPerSecond *= 0.9;
  const own: Beside[] = [];
  const bare: Kept[] = [];
  for (let turn = 0; turn < (smoke ? 1 : turns); turn += 1) {
    own.push(await beside(platform, steadyPerSecond / 2, 10_000, smoke));
    bare.push(await alone({ ...platform, place: placeOf(peer) }, steadyPerSecond / 2, 10_000, smoke));
  }
  return { steadyPerSecond, own, bare };
}

function rows({ steadyPerSecond, own, bare }: Measured): BenchmarkRow[] {
  const reads = own.map(({ read }) => read);
  const usual = middle(reads);
  const other = middle(bare);
  const writes = Math.round(Math.min(...own.map(({ written }) => written.perSecond)));
  return [
    { name: `GET one object: greatest steady rate beside ${writes} writes/s`, value: steadyPerSecond, unit: 'requests/s' },
    { name: 'at half of that rate, p50', value: usual.p50Ms, unit: 'ms', ...comparedWith(usual.p50Ms, other.p50Ms) },
    { name: 'the same, p99', value: usual.p99Ms, unit: 'ms', ...comparedWith(usual.p99Ms, other.p99Ms), target: '≤ 5 ms' },
    { name: 'the same, p99 of the worst of five windows', value: Math.max(...reads.map(({ p99Ms }) => p99Ms)), unit: 'ms' },
    { name: 'of which it waited until one of the connections was answered, p99', value: usual.crowdedP99Ms, unit: 'ms' },
    { name: 'of which the client sent late, p99', value: usual.clientP99Ms, unit: 'ms' },
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
  readonly read: Kept;
  readonly written: Kept;
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
  return { read: toldOf(read), written: toldOf(written) };
}

async function alone({ place, reads }: WholePlatform, perSecond: number, ms: number, smoke: boolean): Promise<Kept> {
  const [read] = await paced({ place, ...duration(ms, smoke), paces: [{ perSecond, connections: readingConnections, requests: reads }] });
  return toldOf(read);
}

/** What another process can be told. */
const placeOf = ({ port, token, authority }: Place): Place => ({ port, token, ...(authority !== undefined && { authority }) });

const duration = (ms: number, smoke: boolean): { warmMs: number; ms: number } => (smoke ? { warmMs: 0, ms: 500 } : { warmMs: 2_000, ms });

function toldOf(kept: Kept | undefined): Kept {
  if (kept === undefined) throw new Error('the client has told nothing');
  return kept;
}

function middle(windows: readonly Kept[]): Kept {
  return toldOf(windows.toSorted((a, b) => a.p99Ms - b.p99Ms)[Math.floor(windows.length / 2)]);
}

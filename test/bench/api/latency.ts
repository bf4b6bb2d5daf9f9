/**
 * How long reads take at half of the greatest steady rate, each counted from when it was due, while writes go on beside them on
 * connections of their own. What connections that never rest get answered a second is more than that rate: it comes in bundles, which
 * cost less each.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { localCertificates } from '../../../core/dist/api/certificates.js';
import { exchange, openSocket, type Place } from './load.ts';
import { paced, type Kept } from './paced.ts';
import { startServer, type Running } from './server-process.ts';

const writesPerSecond = 200;
const readingConnections = 64;
const writingConnections = 32;
/** A rate is kept up as long as half of the requests wait no longer than this. */
const steadyMsMax = 10;
/** Windows take turns with the peer's, so that what else the machine does meets both. */
const turns = 5;

export interface Latency {
  readonly steadyPerSecond: number;
  /** Of the window in the middle, by its p99. */
  readonly usual: Kept;
  readonly worstP99Ms: number;
  /** That were answered beside it, in the window with the fewest. */
  readonly writesPerSecond: number;
  /** Of bare node:https, which sends the same bytes at the same pace and has no writes. */
  readonly peer: Kept;
}

export interface Load {
  readonly place: Place;
  /** What connections that never rest get answered a second. */
  readonly mostPerSecond: number;
  readonly reads: readonly Buffer[];
  readonly writes: readonly Buffer[];
  /** For the peer's certificate. */
  readonly directory: string;
  readonly smoke: boolean;
}

export async function latency(wish: Load): Promise<Latency> {
  const { mostPerSecond, smoke } = wish;
  const peer = await startPeer(wish);
  try {
    // Not counted: the first thousand writes show what becoming fast costs.
    await beside(wish, mostPerSecond / 2, 5_000);
    let steadyPerSecond = mostPerSecond;
    while (steadyPerSecond > mostPerSecond / 10 && (await beside(wish, steadyPerSecond, 3_000)).read.p50Ms > steadyMsMax)
      steadyPerSecond *= 0.9;
    const own: Beside[] = [];
    const others: Kept[] = [];
    for (let turn = 0; turn < (smoke ? 1 : turns); turn += 1) {
      own.push(await beside(wish, steadyPerSecond / 2, 10_000));
      others.push(await alone({ ...wish, place: placeOf(peer) }, steadyPerSecond / 2, 10_000));
    }
    const reads = own.map(({ read }) => read);
    return {
      steadyPerSecond,
      usual: middle(reads),
      worstP99Ms: Math.max(...reads.map(({ p99Ms }) => p99Ms)),
      writesPerSecond: Math.min(...own.map(({ written }) => written.perSecond)),
      peer: middle(others),
    };
  } finally {
    peer.child.kill();
  }
}

async function startPeer({ place, reads, directory }: Load): Promise<Running> {
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

async function beside({ place, smoke, reads, writes }: Load, perSecond: number, ms: number): Promise<Beside> {
  const [read, written] = await paced({
    place,
    ...duration(ms, smoke),
    paces: [
      { perSecond, connections: readingConnections, requests: reads },
      { perSecond: writesPerSecond, connections: writingConnections, requests: writes },
    ],
  });
  return { read: toldOf(read), written: toldOf(written) };
}

async function alone({ place, smoke, reads }: Load, perSecond: number, ms: number): Promise<Kept> {
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

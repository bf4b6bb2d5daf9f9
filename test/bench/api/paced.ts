import type { Socket } from 'node:net';
import { exchange } from './load.ts';

export interface Pace {
  readonly sockets: readonly Socket[];
  readonly perSecond: number;
  readonly ms: number;
  readonly request: (index: number) => Buffer;
}

/** What came of it: how long from when a request was due until it was answered, and how many were answered a second. */
export interface Kept {
  readonly p99Ms: number;
  /** How much later than due the client sent, for want of time or of a connection that was free. */
  readonly clientP99Ms: number;
  readonly perSecond: number;
}

/** Sends requests at a steady rate, each on a connection that is free; one that finds none waits, and its wait counts. */
export async function paced({ sockets, perSecond, ms, request }: Pace): Promise<Kept> {
  const startMs = performance.now();
  const count = Math.max(1, Math.round((perSecond * ms) / 1000));
  const free = [...sockets];
  const took: number[] = [];
  const late: number[] = [];
  const ask = async (socket: Socket, index: number, dueMs: number): Promise<void> => {
    const { status } = await exchange(socket, request(index));
    if (status !== 200) throw new Error(`answered ${status} instead of 200`);
    took.push(performance.now() - dueMs);
    free.push(socket);
  };
  const asked: Promise<void>[] = [];
  for (let index = 0; index < count; index += 1) {
    const dueMs = startMs + (index * 1000) / perSecond;
    await until(dueMs);
    while (free.length === 0) await new Promise((resolve) => setImmediate(resolve));
    late.push(performance.now() - dueMs);
    const socket = free.shift();
    if (socket !== undefined) asked.push(ask(socket, index, dueMs));
  }
  await Promise.all(asked);
  const tookMs = performance.now() - startMs;
  return { p99Ms: p99(took), clientP99Ms: p99(late), perSecond: (count * 1000) / tookMs };
}

function p99(ms: number[]): number {
  return ms.toSorted((a, b) => a - b)[Math.floor(ms.length * 0.99)] ?? 0;
}

/** Timers are coarse: the last part of a wait turns with the event loop. */
async function until(dueMs: number): Promise<void> {
  const leftMs = dueMs - performance.now();
  if (leftMs > 2) await new Promise((resolve) => setTimeout(resolve, leftMs - 1));
  while (performance.now() < dueMs) await new Promise((resolve) => setImmediate(resolve));
}

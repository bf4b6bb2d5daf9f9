/**
 * Requests at steady rates, sent by a process of its own, so that neither what else the benchmark does nor its garbage delays one. Each is
 * counted from when it was due, whoever was late.
 */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Place } from './load.ts';
import { keepOn } from './processor.ts';

/** One kind of request. */
export interface Pace {
  readonly perSecond: number;
  readonly connections: number;
  /** Sent in turns. */
  readonly requests: readonly Buffer[];
}

export interface PaceOptions {
  readonly place: Place;
  /** Sent before anything is counted, so that what is measured is not how code becomes fast. */
  readonly warmMs: number;
  readonly ms: number;
  readonly paces: readonly Pace[];
}

/** What came of a pace: how long from when a request was due until it was answered, and how many were answered a second. */
export interface PaceResult {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** How much later than due the client sent for want of time. */
  readonly clientP99Ms: number;
  /** The same for want of a connection on which nothing was unanswered. */
  readonly crowdedP99Ms: number;
  readonly perSecond: number;
}

/** Answers in the order of the paces. */
export async function paced(options: PaceOptions): Promise<readonly PaceResult[]> {
  const client = fork(join(import.meta.dirname, 'pace-client.ts'), { serialization: 'advanced' });
  try {
    await keepOn('client', client.pid);
    return await new Promise((resolve, reject) => {
      client.once('message', (results) => resolve(results as readonly PaceResult[]));
      client.once('exit', (code) => reject(new Error(`the client ended with ${code}`)));
      client.send(options);
    });
  } finally {
    client.kill();
  }
}

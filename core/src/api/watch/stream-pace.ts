import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { Exchange } from '../request/exchange.js';
import { readInTime, type StreamLimits } from './slow-reader.js';

/**
 * `time`: as long as it was asked for; `credential`: no longer good; `access`: what it tells may no longer be seen, or only another part of
 * it; `stop`: the platform stops, another start goes on.
 */
export type StreamEndReason = 'time' | 'credential' | 'access' | 'stop';

/** Why a stream ends in order, not as a failure. */
export class StreamEnd extends Error {
  readonly reason: StreamEndReason;

  constructor(reason: StreamEndReason) {
    super('the stream has come to its end');
    this.reason = reason;
  }
}

export function endOfStream(reason: StreamEndReason): Error {
  return new StreamEnd(reason);
}

/**
 * Resolves when the client has read what was sent, so that nothing more is taken from the source before. `filled` is the stream that had
 * no room.
 *
 * @throws TAP_REQUEST_SLOW_READER for a client that reads nothing for too long; its connection is cut off
 */
export async function drained({ response, signal }: Exchange, limits: StreamLimits, filled: Writable = response): Promise<void> {
  const waiting = new AbortController();
  // Removes both listeners at the end: a stream waits like this thousands of times.
  const until = { signal: AbortSignal.any([waiting.signal, signal]) };
  const read = Promise.race([once(filled, 'drain', until), once(response, 'close', until)]);
  try {
    await readInTime(read, limits, (error) => response.destroy(error), signal);
  } finally {
    waiting.abort();
  }
}

/** What a source yields until the signal aborts; a source that never answers holds nobody then. */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  // One promise for each step: a race with one that lasts as long as the stream would leave a reaction on it with every chunk.
  let end = (): void => {};
  const abort = (): void => end();
  signal.addEventListener('abort', abort, { once: true });
  try {
    for (;;) {
      const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<T> | undefined>();
      end = () => resolve(undefined);
      // Asked even when it is over: an iterator that was never asked frees nothing when it is told to return.
      iterator.next().then(resolve, reject);
      if (signal.aborted) end();
      const next = await promise;
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', abort);
    // Not waited for: a source that never answers must not hold the exchange.
    void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

/** Sends chunks as they come, at the client's pace, until the source ends, the client leaves or the stream is ended. */
export async function pump(exchange: Exchange, source: AsyncIterable<Uint8Array>, limits: StreamLimits): Promise<void> {
  const { response, signal } = exchange;
  for await (const chunk of untilAborted(source, signal)) {
    if (!response.write(chunk)) await drained(exchange, limits);
  }
  if (signal.aborted && !(signal.reason instanceof StreamEnd)) throw signal.reason;
  response.end();
}

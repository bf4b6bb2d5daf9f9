import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { Exchange } from '../request/exchange.js';
import { readInTime, type StreamLimits } from './slow-reader.js';

/**
 * `time`: the requested duration is over; `credential`: no longer valid; `access`: lost, or limited to another part; `stop`: the platform
 * is shutting down, so the client should reconnect.
 */
export type StreamEndReason = 'time' | 'credential' | 'access' | 'stop';

/** Ends a stream in order, as opposed to a failure. */
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
 * Resolves when the client has read what was sent; until then nothing may be taken from the source. `filled` is the stream without room.
 *
 * @throws TAP_REQUEST_SLOW_READER for a client that reads nothing for too long; its connection is closed
 */
export async function drained({ response, signal }: Exchange, limits: StreamLimits, filled: Writable = response): Promise<void> {
  const waiting = new AbortController();
  // Removes both listeners afterwards, because a stream waits like this thousands of times.
  const until = { signal: AbortSignal.any([waiting.signal, signal]) };
  const read = Promise.race([once(filled, 'drain', until), once(response, 'close', until)]);
  try {
    await readInTime(read, limits, (error) => response.destroy(error), signal);
  } finally {
    waiting.abort();
  }
}

/** Yields the values of a source until the signal aborts, even if the source never answers. */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  // One promise per step: racing against one that lives as long as the stream would leave a reaction on it with every chunk.
  let end = (): void => {};
  const abort = (): void => end();
  signal.addEventListener('abort', abort, { once: true });
  try {
    for (;;) {
      const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<T> | undefined>();
      end = () => resolve(undefined);
      // next() is called even after the abort: an iterator that was never started frees nothing on return().
      iterator.next().then(resolve, reject);
      if (signal.aborted) end();
      const next = await promise;
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', abort);
    // Not awaited: a source that never answers must not hold the exchange.
    void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

/** Sends chunks at the client's pace, until the source ends, the client disconnects or the stream is ended. */
export async function pump(exchange: Exchange, source: AsyncIterable<Uint8Array>, limits: StreamLimits): Promise<void> {
  const { response, signal } = exchange;
  for await (const chunk of untilAborted(source, signal)) {
    if (!response.write(chunk)) await drained(exchange, limits);
  }
  if (signal.aborted && !(signal.reason instanceof StreamEnd)) throw signal.reason;
  response.end();
}

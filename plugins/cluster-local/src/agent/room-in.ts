import type { Writable } from 'node:stream';

/** Resolves when a stream that was full has room again, or has gone. Leaves no listener: one command waits like this thousands of times. */
export async function roomIn(stream: Writable): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.once('drain', resolve).once('close', resolve);
  await promise;
  stream.off('drain', resolve).off('close', resolve);
}

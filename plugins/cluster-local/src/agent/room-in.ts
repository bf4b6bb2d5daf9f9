import type { Writable } from 'node:stream';

/**
 * Resolves when a full stream has room again, or has closed. Removes its listeners, since one command may wait like this thousands of
 * times.
 */
export async function roomIn(stream: Writable): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.once('drain', resolve).once('close', resolve);
  await promise;
  stream.off('drain', resolve).off('close', resolve);
}

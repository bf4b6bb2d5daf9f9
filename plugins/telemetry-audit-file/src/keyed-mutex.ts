/** Runs work on the same key one piece at a time, in the order of the calls; work on different keys runs concurrently. */
export class KeyedMutex {
  /** By key: settles when all work requested so far has ended. */
  readonly #earlier = new Map<string, Promise<unknown>>();

  /**
   * Runs the work once earlier work on the key has ended. If the signal aborts first, the work is not run and is released from memory: a
   * caller that gives up and calls again does not accumulate work behind a piece that hangs. Work that has begun is not interrupted.
   */
  run<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const earlier = this.#earlier.get(key) ?? Promise.resolve();
    const result = overOrAborted(earlier, signal).then(work);
    const over = Promise.allSettled([earlier, result]).then(() => {
      if (this.#earlier.get(key) === over) this.#earlier.delete(key);
    });
    this.#earlier.set(key, over);
    return result;
  }
}

async function overOrAborted(over: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const aborted = Promise.withResolvers<undefined>();
  const abort = (): void => aborted.resolve(undefined);
  signal?.addEventListener('abort', abort);
  await Promise.race([over, aborted.promise]);
  signal?.removeEventListener('abort', abort);
  signal?.throwIfAborted();
}

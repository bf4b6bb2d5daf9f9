/** Runs the work on one key one piece at a time, in the order of the calls; work on different keys runs side by side. */
export class KeyedMutex {
  /** By key: settles when everything that was asked for so far is over. */
  readonly #earlier = new Map<string, Promise<unknown>>();

  /**
   * Waits until the earlier work on the key is over, then runs this work. When the signal aborts first, the work is not run and its memory is
   * free: a caller that gives up and calls again does not pile up work behind a piece that hangs. Work that has begun is not interrupted.
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

import { storeErrors, type ResourceStore } from '@tappaas/sdk';

/** A restore whose snapshot comes in chunks from another process; each is taken before the next one is asked for. */
export class RestoreStream {
  readonly #restoring: Promise<void>;
  #next = Promise.withResolvers<Uint8Array | undefined>();
  #taken = Promise.withResolvers<void>();

  constructor(store: ResourceStore) {
    this.#restoring = store.restore(this.#chunks());
    this.#restoring.catch(() => undefined);
  }

  /** Resolves when the chunk has been taken. @throws what the restore fails with, as soon as it has */
  async push(chunk: Uint8Array): Promise<void> {
    const taken = this.#taken.promise;
    this.#next.resolve(chunk);
    await Promise.race([taken, this.#restoring]);
  }

  /** Ends the snapshot. @throws what the restore fails with */
  async end(whole: boolean): Promise<void> {
    if (whole) this.#next.resolve(undefined);
    else this.#breakOff();
    await this.#restoring;
  }

  /** A restore that has failed already reads no further. */
  #breakOff(): void {
    this.#next.promise.catch(() => undefined);
    this.#next.reject(storeErrors.TAP_STORE_UNAVAILABLE({ message: 'the snapshot broke off' }));
  }

  async *#chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const chunk = await this.#next.promise;
      if (chunk === undefined) return;
      this.#next = Promise.withResolvers<Uint8Array | undefined>();
      const taken = this.#taken;
      this.#taken = Promise.withResolvers<void>();
      taken.resolve();
      yield chunk;
    }
  }
}

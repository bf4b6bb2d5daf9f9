import { storeErrors, type ResourceStore } from '@tappaas/sdk';

/** A restore whose snapshot arrives in chunks from another process; each chunk is consumed before the next is requested. */
export class RestoreStream {
  readonly #restoring: Promise<void>;
  #next = Promise.withResolvers<Uint8Array | undefined>();
  #taken = Promise.withResolvers<void>();

  constructor(store: ResourceStore) {
    this.#restoring = store.restore(this.#chunks());
    this.#restoring.catch(() => undefined);
  }

  /** Resolves when the chunk has been consumed. @throws the error of the restore as soon as it fails */
  async push(chunk: Uint8Array): Promise<void> {
    const taken = this.#taken.promise;
    this.#next.resolve(chunk);
    await Promise.race([taken, this.#restoring]);
  }

  /** Ends the snapshot and waits for the restore. @throws the error of the restore */
  async end(whole: boolean): Promise<void> {
    if (whole) this.#next.resolve(undefined);
    else this.#breakOff();
    await this.#restoring;
  }

  /** Aborts the restore; a restore that has already failed no longer reads. */
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

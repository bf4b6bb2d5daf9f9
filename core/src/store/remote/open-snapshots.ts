import { storeErrors, type ResourceStore } from '@tappaas/sdk';

const snapshotsMax = 4;

/** Snapshots that another process is reading, one chunk per request. */
export class OpenSnapshots {
  readonly #store: ResourceStore;
  readonly #open = new Map<number, AsyncIterator<Uint8Array>>();
  #last = 0;

  constructor(store: ResourceStore) {
    this.#store = store;
  }

  /** @throws TAP_STORE_UNAVAILABLE when too many snapshots are being read */
  begin(): number {
    if (this.#open.size >= snapshotsMax)
      throw storeErrors.TAP_STORE_UNAVAILABLE({ message: `${snapshotsMax} snapshots are being read already` });
    this.#last += 1;
    this.#open.set(this.#last, this.#store.snapshot()[Symbol.asyncIterator]());
    return this.#last;
  }

  /** Returns the next chunk; undefined at the end of the snapshot. */
  async chunk(snapshot: number): Promise<Uint8Array | undefined> {
    const chunks = this.#open.get(snapshot);
    if (chunks === undefined) throw storeErrors.TAP_STORE_INVALID({ message: `there is no snapshot ${snapshot}` });
    const { done, value } = await chunks.next();
    if (done !== true) return value;
    this.#open.delete(snapshot);
    return undefined;
  }

  async end(snapshot: number): Promise<void> {
    const chunks = this.#open.get(snapshot);
    this.#open.delete(snapshot);
    await chunks?.return?.();
  }

  close(): void {
    for (const snapshot of this.#open.keys()) void this.end(snapshot).catch(() => undefined);
  }
}

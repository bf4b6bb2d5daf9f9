import type { KeyValue } from '@tappaas/sdk';
import type { ObjectText } from './object-text.js';
import { resourceVersionOf } from './resource-version.js';
import { StoredObject, type Body, type Side } from './stored-object.js';

/** The content of a write, before and after serialization. */
export interface Written {
  readonly object: Body;
  readonly text: ObjectText;
  readonly side: Side;
}

interface Offer {
  /** The written content; cleared once the writer has its result, which is the stored object. */
  written: Written | undefined;
  /** The bytes that were sent; cleared once a cache has taken the object. */
  value: Uint8Array | undefined;
  stored: StoredObject | undefined;
}

/** Maximum number of writes that wait for a cache; a cache further behind decodes their bytes. */
export const offersMax = 1_000;
export const offeredBytesMax = 16 * 1024 * 1024;

/**
 * Hands written objects to the cache of the same process. When the bytes from the store equal those sent, the cache takes the original
 * object instead of unsealing, parsing and freezing it again, and the writer's result and the cache share one object and serialization.
 */
export class WriteHandoff {
  readonly #offers = new Map<string, Offer>();
  #bytes = 0;

  /** Registers before a write that these bytes represent this object. */
  offer(key: string, value: Uint8Array, written: Written): void {
    this.withdraw(key);
    this.#offers.set(key, { written, value, stored: undefined });
    this.#bytes += value.byteLength;
    for (const oldest of this.#offers.keys()) {
      if (this.#offers.size <= offersMax && this.#bytes <= offeredBytesMax) return;
      this.withdraw(oldest);
    }
  }

  /** Returns the object of stored bytes if they are those that were sent. */
  take({ key, value, modRevision }: KeyValue, epoch: number): StoredObject | undefined {
    const offer = this.#offers.get(key);
    if (offer?.value === undefined || Buffer.compare(offer.value, value) !== 0) return undefined;
    this.#release(offer);
    return this.#made(offer, modRevision, epoch);
  }

  /** Returns the known write to a key after `revision`, which a cache at `revision` does not show yet. */
  after(revision: number, key: string): StoredObject | undefined {
    const stored = this.#offers.get(key)?.stored;
    return stored && stored.revision > revision ? stored : undefined;
  }

  /** Returns the stored object of a write that succeeded at `revision`. */
  written(key: string, object: Body, side: Side, revision: number, epoch: number): StoredObject {
    const offer = this.#offers.get(key);
    const made = offer?.written?.object === object ? this.#made(offer, revision, epoch) : undefined;
    if (offer !== undefined && made !== undefined) offer.written = undefined;
    return made ?? new StoredObject({ object }, revision, epoch, side);
  }

  withdraw(key: string): void {
    const offer = this.#offers.get(key);
    if (offer === undefined) return;
    this.#release(offer);
    this.#offers.delete(key);
  }

  #release(offer: Offer): void {
    this.#bytes -= offer.value?.byteLength ?? 0;
    offer.value = undefined;
  }

  #made(offer: Offer, revision: number, epoch: number): StoredObject | undefined {
    if (offer.written !== undefined) offer.stored ??= new StoredObject(offer.written, revision, epoch, offer.written.side);
    return offer.stored?.resourceVersion === resourceVersionOf(epoch, revision) ? offer.stored : undefined;
  }
}

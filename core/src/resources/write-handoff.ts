import type { KeyValue } from '@tappaas/sdk';
import type { ObjectText } from './object-text.js';
import { resourceVersionOf } from './resource-version.js';
import { StoredObject, type Body, type Side } from './stored-object.js';

/** What was written, before and after it was put into bytes. */
export interface Written {
  readonly object: Body;
  readonly text: ObjectText;
  readonly side: Side;
}

interface Offer {
  /** What was written, until the writer has its answer: then the stored object stands for it. */
  written: Written | undefined;
  /** The bytes that were sent, until a cache has taken the object. */
  value: Uint8Array | undefined;
  stored: StoredObject | undefined;
}

/** Writes that may be on their way to a cache; a cache that is further behind reads them from their bytes. */
export const offersMax = 1_000;
export const offeredBytesMax = 16 * 1024 * 1024;

/**
 * What was written comes back from the store as bytes, to the cache of the same process. Where they are the very bytes that were sent,
 * the object that they were made of is taken instead of being parsed, opened and frozen once more, and the writer's answer and the
 * cache share one object and one serialisation.
 */
export class WriteHandoff {
  readonly #offers = new Map<string, Offer>();
  #bytes = 0;

  /** Before the write: these bytes will stand for this object. */
  offer(key: string, value: Uint8Array, written: Written): void {
    this.withdraw(key);
    this.#offers.set(key, { written, value, stored: undefined });
    this.#bytes += value.byteLength;
    for (const oldest of this.#offers.keys()) {
      if (this.#offers.size <= offersMax && this.#bytes <= offeredBytesMax) return;
      this.withdraw(oldest);
    }
  }

  /** The object of stored bytes, if they are those that were sent. */
  take({ key, value, modRevision }: KeyValue, epoch: number): StoredObject | undefined {
    const offer = this.#offers.get(key);
    if (offer?.value === undefined || Buffer.compare(offer.value, value) !== 0) return undefined;
    this.#release(offer);
    return this.#made(offer, modRevision, epoch);
  }

  /** What was written under a key after `revision`, as far as it is known here: a cache that is at `revision` does not show it yet. */
  after(revision: number, key: string): StoredObject | undefined {
    const stored = this.#offers.get(key)?.stored;
    return stored && stored.revision > revision ? stored : undefined;
  }

  /** The object of a write that was done at `revision`. */
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

import type { Clock } from '@tappaas/sdk';
import { Keyv } from 'keyv';

export const stateValueBytesMax = 64 * 1024;
export const stateKeysMax = 10_000;
/** Maximum total size of the values of an instance, in bytes. */
export const stateBytesMax = 32 * 1024 * 1024;

interface CachedValue {
  readonly json: string;
  readonly expiresAtMs: number;
}

/**
 * The state of one instance, as JSON. Expiry uses the platform's clock; Keyv only has an upper limit, whatever its storage. Operations run
 * one after another, so that each is atomic. Beyond the limits the oldest values are dropped, because it is a cache.
 */
export class StateCache {
  readonly #store: Keyv<CachedValue>;
  readonly #clock: Clock;
  /** Size in bytes by key, oldest first. */
  readonly #bytes = new Map<string, number>();
  #bytesTotal = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(instance: string, clock: Clock) {
    this.#store = new Keyv<CachedValue>({ namespace: instance });
    this.#clock = clock;
  }

  get(key: string): Promise<string | undefined> {
    return this.#next(async () => {
      const kept = await this.#store.get(key);
      if (kept === undefined || kept.expiresAtMs > this.#clock.nowMs()) return kept?.json;
      await this.#forget(key);
      return undefined;
    });
  }

  delete(key: string): Promise<void> {
    return this.#next(() => this.#forget(key));
  }

  set(key: string, json: string, ttlMs: number): Promise<void> {
    return this.#next(async () => {
      this.#count(key, Buffer.byteLength(json));
      await this.#store.set(key, { json, expiresAtMs: this.#clock.nowMs() + ttlMs });
      for (const oldest of this.#bytes.keys()) {
        if (this.#bytes.size <= stateKeysMax && this.#bytesTotal <= stateBytesMax) break;
        await this.#forget(oldest);
      }
    });
  }

  #next<T>(run: () => Promise<T>): Promise<T> {
    const done = this.#last.then(run);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #forget(key: string): Promise<void> {
    this.#count(key, undefined);
    await this.#store.delete(key);
  }

  #count(key: string, bytes: number | undefined): void {
    this.#bytesTotal += (bytes ?? 0) - (this.#bytes.get(key) ?? 0);
    this.#bytes.delete(key);
    if (bytes !== undefined) this.#bytes.set(key, bytes);
  }
}

import { compareKeys, type Lease } from '@tappaas/sdk/store';
import type { Journal } from './journal.js';
import type { Version } from './key-index.js';

interface Holding {
  readonly ttlMs: number;
  readonly keys: Set<string>;
}

/** The active leases, with their attached keys. */
export class LeaseIndex {
  readonly #journal: Journal;
  readonly #leases = new Map<string, Holding>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  get size(): number {
    return this.#leases.size;
  }

  has(id: string): boolean {
    return this.#leases.has(id);
  }

  holds(id: string, key: string): boolean {
    return this.#leases.get(id)?.keys.has(key) ?? false;
  }

  keyCount(id: string): number {
    return this.#leases.get(id)?.keys.size ?? 0;
  }

  /** The keys of a lease, in key order. */
  keysOf(id: string): readonly string[] {
    return [...(this.#leases.get(id)?.keys ?? [])].toSorted(compareKeys);
  }

  all(): readonly Lease[] {
    return [...this.#leases].map(([id, { ttlMs }]) => ({ id, ttlMs }));
  }

  add({ id, ttlMs }: Lease): void {
    this.#leases.set(id, { ttlMs, keys: new Set() });
    this.#journal.record(() => this.#leases.delete(id));
  }

  remove(id: string): void {
    const holding = this.#leases.get(id);
    if (holding === undefined) return;
    this.#leases.delete(id);
    this.#journal.record(() => this.#leases.set(id, holding));
  }

  /** Attaches a key to the lease of its last put, and detaches it from the previous one. */
  follow({ key, lease, older }: Version): void {
    const before = older?.version === 0 ? undefined : older?.lease;
    if (lease === before) return;
    this.#move(key, before, lease);
    this.#journal.record(() => this.#move(key, lease, before));
  }

  #move(key: string, from: string | undefined, to: string | undefined): void {
    if (from !== undefined) this.#leases.get(from)?.keys.delete(key);
    if (to !== undefined) this.#leases.get(to)?.keys.add(key);
  }
}

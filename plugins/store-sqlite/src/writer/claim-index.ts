import type { ClaimChange } from '@tappaas/sdk';
import type { Journal } from './journal.js';

/** Why a claim failed. */
export type Refusal = { readonly failedClaim: number; readonly sum: number } | { readonly failedClaim: number; readonly holder: string };

/** The claims in force, with the names changed by the running batch. */
export class ClaimIndex {
  readonly #journal: Journal;
  readonly counters = new Map<string, number>();
  readonly uniques = new Map<string, string>();
  /** Names whose rows are out of date; the writer saves and clears them with each batch. */
  readonly touched = { counters: new Set<string>(), uniques: new Set<string>() };

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Makes the claims in order; returns whether they changed anything in total. If one is refused, the caller undoes those made before. */
  take(claims: readonly ClaimChange[]): Refusal | boolean {
    const before = new Map<Map<string, unknown>, Map<string, unknown>>([
      [this.counters, new Map()],
      [this.uniques, new Map()],
    ]);
    for (const [index, claim] of claims.entries()) {
      const [map, name] =
        'counter' in claim ? [this.counters, claim.counter] : [this.uniques, 'unique' in claim ? claim.unique : claim.release];
      if (!before.get(map)?.has(name)) before.get(map)?.set(name, map.get(name));
      const refusal = 'counter' in claim ? this.#count(claim, index) : this.#name(claim, index);
      if (refusal !== undefined) return refusal;
    }
    return [...before].some(([map, values]) => [...values].some(([name, value]) => map.get(name) !== value));
  }

  #count({ counter, amount, max = Infinity }: Extract<ClaimChange, { counter: string }>, failedClaim: number): Refusal | undefined {
    const sum = this.counters.get(counter) ?? 0;
    if (amount > 0 && sum + amount > max) return { failedClaim, sum };
    this.#set(this.counters, this.touched.counters, counter, Math.max(0, sum + amount) || undefined);
    return undefined;
  }

  #name(claim: Exclude<ClaimChange, { counter: string }>, failedClaim: number): Refusal | undefined {
    const name = 'unique' in claim ? claim.unique : claim.release;
    const holder = this.uniques.get(name);
    if ('unique' in claim) {
      if (holder !== undefined && holder !== claim.holder) return { failedClaim, holder };
      this.#set(this.uniques, this.touched.uniques, name, claim.holder);
    } else if (holder === claim.holder) {
      this.#set(this.uniques, this.touched.uniques, name, undefined);
    }
    return undefined;
  }

  #set<V>(map: Map<string, V>, touched: Set<string>, name: string, value: V | undefined): void {
    const before = map.get(name);
    if (value === before) return;
    write(map, name, value);
    touched.add(name);
    this.#journal.record(() => write(map, name, before));
  }
}

function write<V>(map: Map<string, V>, name: string, value: V | undefined): void {
  if (value === undefined) map.delete(name);
  else map.set(name, value);
}

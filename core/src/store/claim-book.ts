import type { ClaimChange } from '@tappaas/sdk';

/** Why a claim was refused: the current holder of a unique name, or the current sum of a counter. */
export interface ClaimRefusal {
  readonly failedClaim: number;
  readonly holder?: string;
  readonly sum?: number;
}

/** All claims at one moment, as stored in a snapshot. */
export interface ClaimState {
  readonly counters: readonly (readonly [name: string, sum: number])[];
  readonly uniques: readonly (readonly [name: string, holder: string])[];
}

/** The resulting claims of a transaction; an undefined holder means that the name is released. */
export interface ClaimOutcome {
  readonly counters: ReadonlyMap<string, number>;
  readonly uniques: ReadonlyMap<string, string | undefined>;
}

/** All counters and unique names that are currently claimed. */
export class ClaimBook {
  readonly #counters: Map<string, number>;
  readonly #uniques: Map<string, string>;

  constructor(state: ClaimState = { counters: [], uniques: [] }) {
    this.#counters = new Map(state.counters);
    this.#uniques = new Map(state.uniques);
  }

  /** Evaluates all claims of a transaction in order without applying them. */
  check(claims: readonly ClaimChange[]): ClaimRefusal | ClaimOutcome {
    const counters = new Map<string, number>();
    const uniques = new Map<string, string | undefined>();
    for (const [index, claim] of claims.entries()) {
      if ('counter' in claim) {
        const sum = counters.get(claim.counter) ?? this.#counters.get(claim.counter) ?? 0;
        if (claim.amount > 0 && sum + claim.amount > (claim.max ?? Infinity)) return { failedClaim: index, sum };
        counters.set(claim.counter, Math.max(0, sum + claim.amount));
        continue;
      }
      const name = 'unique' in claim ? claim.unique : claim.release;
      const holder = uniques.has(name) ? uniques.get(name) : this.#uniques.get(name);
      if ('release' in claim) {
        if (holder === claim.holder) uniques.set(name, undefined);
      } else if (holder !== undefined && holder !== claim.holder) {
        return { failedClaim: index, holder };
      } else {
        uniques.set(name, claim.holder);
      }
    }
    return { counters, uniques };
  }

  /** Applies the outcome of {@link check}. Returns whether anything changed. */
  apply({ counters, uniques }: ClaimOutcome): boolean {
    let changed = false;
    for (const [name, sum] of counters) {
      changed ||= sum !== (this.#counters.get(name) ?? 0);
      if (sum === 0) this.#counters.delete(name);
      else this.#counters.set(name, sum);
    }
    for (const [name, holder] of uniques) {
      changed ||= holder !== this.#uniques.get(name);
      if (holder === undefined) this.#uniques.delete(name);
      else this.#uniques.set(name, holder);
    }
    return changed;
  }

  state(): ClaimState {
    return { counters: [...this.#counters], uniques: [...this.#uniques] };
  }
}

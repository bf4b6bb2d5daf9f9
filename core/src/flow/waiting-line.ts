/** A request that waits for room. */
export interface Waiter {
  /** The user; users of one tenant take turns. */
  readonly user: string;
  readonly sinceMs: number;
  readonly admit: () => void;
  readonly refuse: (because: string) => void;
}

/**
 * The waiting requests of one principal: first in, first out for each user, and users take turns. Displacing a waiter and timing out
 * waiters look at all users.
 */
export class WaitingLine {
  readonly #users = new Map<string, Set<Waiter>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Users with at least one waiter. */
  get users(): Iterable<string> {
    return this.#users.keys();
  }

  sizeOf(user: string): number {
    return this.#users.get(user)?.size ?? 0;
  }

  push(waiter: Waiter): void {
    const mine = this.#users.get(waiter.user) ?? new Set();
    this.#users.set(waiter.user, mine.add(waiter));
    this.#size += 1;
  }

  remove(waiter: Waiter): boolean {
    const mine = this.#users.get(waiter.user);
    if (mine?.delete(waiter) !== true) return false;
    if (mine.size === 0) this.#users.delete(waiter.user);
    this.#size -= 1;
    return true;
  }

  /** Takes the oldest waiter of the user whose turn it is; skips users for whom `mayGo` returns false. */
  shift(mayGo: (user: string) => boolean): Waiter | undefined {
    for (const [user, mine] of this.#users) {
      if (!mayGo(user)) continue;
      const [first] = mine;
      if (first === undefined) continue;
      this.remove(first);
      // The user goes to the end if it has more waiters.
      if (this.#users.delete(user)) this.#users.set(user, mine);
      return first;
    }
    return undefined;
  }

  /** How many waiters of other users go before one more of this user, as users take turns. */
  othersAhead(user: string): number {
    const turns = this.sizeOf(user) + 1;
    let ahead = 0;
    for (const [other, { size }] of this.#users) if (other !== user) ahead += Math.min(size, turns);
    return ahead;
  }

  /** The newest waiter of the user with the most waiters, or undefined if `user` would then have as many. */
  displaceable(user: string): Waiter | undefined {
    let most: Set<Waiter> | undefined;
    for (const mine of this.#users.values()) if (mine.size > (most?.size ?? this.sizeOf(user) + 1)) most = mine;
    return most === undefined ? undefined : [...most].at(-1);
  }

  /** All waiters that began to wait before `sinceMs`. */
  olderThan(sinceMs: number): readonly Waiter[] {
    return [...this.#users.values()].flatMap((mine) => {
      const old: Waiter[] = [];
      for (const waiter of mine) {
        if (waiter.sinceMs > sinceMs) break;
        old.push(waiter);
      }
      return old;
    });
  }
}

interface Taken<T> {
  readonly source: AsyncGenerator<T, void, void>;
  readonly result: Promise<IteratorResult<T, void>>;
}

/**
 * What several sources yield, as it comes: one value of each waits at most. Sources may be added while others are read. One that stays
 * silent costs nothing meanwhile; with `Promise.race` each value of another would leave a reaction on the promise that it owes, for as long
 * as it owes it.
 */
export class MergedSources<T> {
  readonly #open = new Set<AsyncGenerator<T, void, void>>();
  readonly #ready: Taken<T>[] = [];
  #wake = (): void => {};

  add(source: AsyncGenerator<T, void, void>): void {
    this.#open.add(source);
    this.#take(source);
  }

  /** Ends when every source has ended. */
  async *values(): AsyncGenerator<T, void, void> {
    try {
      while (this.#open.size > 0) {
        const first = this.#ready.shift();
        if (first === undefined) {
          await new Promise<void>((resolve) => (this.#wake = resolve));
          continue;
        }
        const next = await first.result;
        if (next.done === true) this.#open.delete(first.source);
        else {
          this.#take(first.source);
          yield next.value;
        }
      }
    } finally {
      // Not waited for: what follows ends with its signal.
      for (const source of this.#open) void source.return().catch(() => {});
    }
  }

  #take(source: AsyncGenerator<T, void, void>): void {
    const result = source.next();
    const tell = (): void => {
      this.#ready.push({ source, result });
      this.#wake();
    };
    result.then(tell, tell);
  }
}

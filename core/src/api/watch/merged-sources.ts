interface Taken<T> {
  readonly source: AsyncGenerator<T, void, void>;
  readonly result: Promise<IteratorResult<T, void>>;
}

/**
 * Yields the values of several sources as they arrive, buffering at most one value per source. Sources may be added at any time. Unlike
 * with `Promise.race`, a silent source costs nothing: there, each value of another source would leave a reaction on its pending promise.
 */
export class MergedSources<T> {
  readonly #open = new Set<AsyncGenerator<T, void, void>>();
  readonly #ready: Taken<T>[] = [];
  #wake = (): void => {};

  add(source: AsyncGenerator<T, void, void>): void {
    this.#open.add(source);
    this.#take(source);
  }

  /** Yields values until all sources have ended. */
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
      // Not awaited: the sources end by their own signals.
      for (const source of this.#open) void source.return().catch(() => {});
    }
  }

  #take(source: AsyncGenerator<T, void, void>): void {
    const result = source.next();
    const notify = (): void => {
      this.#ready.push({ source, result });
      this.#wake();
    };
    result.then(notify, notify);
  }
}

/**
 * What several sources yield, as it comes: one value of each waits at most. A source that stays silent costs nothing meanwhile; with
 * `Promise.race` each value of another would leave a reaction on the promise that it owes, for as long as it owes it.
 */
export async function* mergedSources<T>(sources: readonly AsyncGenerator<T, void, void>[]): AsyncGenerator<T, void, void> {
  const open = new Set(sources);
  const ready: { readonly source: AsyncGenerator<T, void, void>; readonly result: Promise<IteratorResult<T, void>> }[] = [];
  let wake = (): void => {};
  const take = (source: AsyncGenerator<T, void, void>): void => {
    const result = source.next();
    const tell = (): void => {
      ready.push({ source, result });
      wake();
    };
    result.then(tell, tell);
  };
  for (const source of open) take(source);
  try {
    while (open.size > 0) {
      const first = ready.shift();
      if (first === undefined) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      const { source, result } = first;
      const next = await result;
      if (next.done === true) open.delete(source);
      else {
        take(source);
        yield next.value;
      }
    }
  } finally {
    // Not waited for: what follows ends with its signal.
    for (const source of open) void source.return().catch(() => {});
  }
}

import type { PluginState } from '../../kernel/plugin-state.js';

/** A circuit breaker that is open, in the process that tells of it. */
export interface OpenBreaker {
  readonly plugin: string;
  readonly hook: string;
}

/** Where a hook's breakers are open. */
export interface OpenInProcesses {
  readonly hook: string;
  readonly processes: readonly string[];
}

/** The name of the process that has the store, beside those of the workers. */
export const primaryProcess = 'primary';

export function openBreakersOf(plugins: readonly Pick<PluginState, 'id' | 'breakers'>[]): readonly OpenBreaker[] {
  return plugins.flatMap(({ id, breakers }) => breakers.flatMap(({ hook, state }) => (state === 'open' ? [{ plugin: id, hook }] : [])));
}

/** What each process last told of its open breakers; one that has gone has none. */
export class OpenBreakers {
  readonly #told = new Map<string, readonly OpenBreaker[]>();

  /** Says whether that is news. */
  tell(process: string, open: readonly OpenBreaker[]): boolean {
    const before = this.#told.get(process) ?? [];
    if (open.length === 0) this.#told.delete(process);
    else this.#told.set(process, open);
    return JSON.stringify(before) !== JSON.stringify(open);
  }

  /** By hook, in the order of its names, so that what did not change reads the same. */
  of(plugin: string): readonly OpenInProcesses[] {
    const byHook = new Map<string, string[]>();
    for (const [process, open] of this.#told) {
      for (const each of open) if (each.plugin === plugin) byHook.set(each.hook, [...(byHook.get(each.hook) ?? []), process]);
    }
    return [...byHook]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([hook, processes]) => ({ hook, processes: processes.toSorted() }));
  }
}

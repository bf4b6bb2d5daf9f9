import type { PluginState } from '../../kernel/plugin-state.js';

/** An open circuit breaker of the reporting process. */
export interface OpenBreaker {
  readonly plugin: string;
  readonly hook: string;
}

/** The processes in which a hook's breaker is open. */
export interface OpenInProcesses {
  readonly hook: string;
  readonly processes: readonly string[];
}

/** The name of the process that owns the store, beside those of the workers. */
export const primaryProcess = 'primary';

export function openBreakersOf(plugins: readonly Pick<PluginState, 'id' | 'breakers'>[]): readonly OpenBreaker[] {
  return plugins.flatMap(({ id, breakers }) => breakers.flatMap(({ hook, state }) => (state === 'open' ? [{ plugin: id, hook }] : [])));
}

/** The last reported open breakers of each process; none for a process that has gone. */
export class OpenBreakers {
  readonly #open = new Map<string, readonly OpenBreaker[]>();

  /** Sets the open breakers of a process; returns whether they changed. */
  set(process: string, open: readonly OpenBreaker[]): boolean {
    const before = this.#open.get(process) ?? [];
    if (open.length === 0) this.#open.delete(process);
    else this.#open.set(process, open);
    return JSON.stringify(before) !== JSON.stringify(open);
  }

  /** Returns the open breakers of a plugin, sorted by hook so that unchanged state compares equal. */
  of(plugin: string): readonly OpenInProcesses[] {
    const byHook = new Map<string, string[]>();
    for (const [process, open] of this.#open) {
      for (const each of open) if (each.plugin === plugin) byHook.set(each.hook, [...(byHook.get(each.hook) ?? []), process]);
    }
    return [...byHook]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([hook, processes]) => ({ hook, processes: processes.toSorted() }));
  }
}

import type { HookDeclaration } from '@tappaas/sdk';
import { HookLine } from './hook-line.js';
import type { Tap } from './tap.js';

/** All hooks of the platform with the ordered taps of one configuration. Immutable: a reload makes another one. */
export class Generation {
  readonly number: number;
  /** Dispatches that began on this generation and have not ended. */
  #inFlight = 0;
  readonly #idlers: (() => void)[] = [];
  readonly #lines: ReadonlyMap<string, HookLine>;

  /** `taps` must be in the order in which each hook calls them. */
  constructor(number: number, hooks: readonly HookDeclaration[], taps: readonly Tap[]) {
    this.number = number;
    const byHook = Map.groupBy(taps, (tap) => tap.hook.name);
    this.#lines = new Map(hooks.map(({ name }) => [name, new HookLine(byHook.get(name) ?? [])]));
  }

  line(hook: { readonly name: string }): HookLine {
    const line = this.#lines.get(hook.name);
    if (line === undefined) throw new TypeError(`hook ${hook.name} is none of the platform's`);
    return line;
  }

  enter(): void {
    this.#inFlight += 1;
  }

  leave(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) for (const idle of this.#idlers.splice(0)) idle();
  }

  /** Resolves once no dispatch runs on it any more; meaningful only after another generation has replaced it. */
  drained(): Promise<void> {
    return this.#inFlight === 0 ? Promise.resolve() : new Promise((resolve) => this.#idlers.push(resolve));
  }
}

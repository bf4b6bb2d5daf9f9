import { matches, selectorKey, type Tap } from './tap.js';
import type { Selector } from './dispatch.js';

/** Selectors come from registered kinds, so there are few. Beyond this number, the line compiles again for each call. */
const compiledMax = 10_000;

/** The taps of one hook in order, and the compiled hook for each selector. Immutable. */
export class HookLine {
  readonly taps: readonly Tap[];
  readonly #compiled = new Map<string, unknown>();

  constructor(taps: readonly Tap[]) {
    this.taps = taps;
  }

  /** Returns the compiled hook of the matching taps; undefined when there are none. One compiler per hook and `variant`. */
  for<C>(selector: Selector, compile: (taps: readonly Tap[]) => C, variant = ''): C | undefined {
    const key = selectorKey(selector) + variant;
    if (this.#compiled.has(key)) return this.#compiled.get(key) as C | undefined;
    const taps = this.taps.filter((tap) => matches(tap, selector));
    const made = taps.length === 0 ? undefined : compile(taps);
    if (this.#compiled.size < compiledMax) this.#compiled.set(key, made);
    return made;
  }
}

import type { Denial } from '@tappaas/sdk';
import { AsyncParallelHook } from 'tapable';
import type { Failure } from '../guard/blame.js';
import type { GateResult, Scope, TapFailure } from './dispatch.js';
import { freezePlain } from './frozen.js';
import type { Tap } from './tap.js';

export type GateHook = AsyncParallelHook<[GateCall]>;

/** One call of all gates, which collects every denial in tap order, regardless of which answers first. */
class GateCall {
  readonly #input: unknown;
  readonly #scope: Scope | undefined;
  readonly #viewFor: ((plugin: string, input: unknown) => unknown) | undefined;
  readonly #denials: (readonly (Denial & { readonly plugin: string })[] | undefined)[] = [];
  readonly #failures: (TapFailure | undefined)[] = [];

  constructor(input: unknown, scope: Scope | undefined, viewFor: ((plugin: string, input: unknown) => unknown) | undefined) {
    this.#input = freezePlain(input);
    this.#scope = scope;
    this.#viewFor = viewFor;
  }

  ask(tap: Tap, index: number, done: () => void): void {
    const input = this.#viewFor === undefined ? this.#input : freezePlain(this.#viewFor(tap.plugin, this.#input));
    tap.guard.invoke(tap.run, input, this.#scope, (failure, value) => {
      if (failure !== undefined) this.#failed(tap, index, failure);
      else if (value !== undefined) this.#denied(tap, index, (Array.isArray(value) ? value : [value]) as readonly Denial[]);
      done();
    });
  }

  result(): GateResult {
    return { denials: this.#denials.flatMap((some) => some ?? []), failures: this.#failures.filter((failure) => failure !== undefined) };
  }

  #failed(tap: Tap, index: number, failure: Failure): void {
    if (tap.shadow) tap.shadow('failed', { error: failure.error.message });
    else if (tap.failurePolicy === 'fail') this.#failures[index] = { plugin: tap.plugin, error: failure.error };
  }

  #denied(tap: Tap, index: number, denials: readonly Denial[]): void {
    if (denials.length === 0) return;
    if (tap.shadow) tap.shadow('denied', { reasons: denials.map(({ reason }) => reason).join(', ') });
    else this.#denials[index] = denials.map(({ field, reason, message }) => ({ field, reason, message, plugin: tap.plugin }));
  }
}

export function compileGate(taps: readonly Tap[]): GateHook {
  const hook = new AsyncParallelHook<[GateCall]>(['call']);
  for (const [index, tap] of taps.entries()) hook.tapAsync(tap.name, (call, done) => call.ask(tap, index, done));
  return hook;
}

export function callGate(
  hook: GateHook,
  input: unknown,
  scope: Scope | undefined,
  viewFor: ((plugin: string, input: unknown) => unknown) | undefined,
): Promise<GateResult> {
  return new Promise((resolve) => {
    const call = new GateCall(input, scope, viewFor);
    hook.callAsync(call, () => resolve(call.result()));
  });
}

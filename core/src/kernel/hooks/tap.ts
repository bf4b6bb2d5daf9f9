import type { HookDeclaration, TapOptions } from '@tappaas/sdk';
import type { Guard } from '../guard/guard.js';
import type { Selector } from './dispatch.js';

/** All options that a tap can have, regardless of the hook. */
export type AnyTapOptions = TapOptions & {
  readonly kinds?: readonly { readonly group: string; readonly kind: string }[];
  readonly engine?: string;
  readonly operations?: readonly string[];
  readonly sideEffects?: string;
  readonly stores?: readonly string[];
  readonly phase?: string;
  readonly conditions?: readonly string[];
};

/** The function that the plugin passed to `host.tap`. */
export type TapFunction = (input: unknown, context: unknown) => unknown;

/** A tap of a generation: the plugin's function with everything that determines its calls. */
export interface Tap {
  /** Instance id. */
  readonly plugin: string;
  /** `<instance>` or `<instance>/<tap name>`. */
  readonly name: string;
  readonly hook: HookDeclaration;
  readonly options: AnyTapOptions;
  readonly run: TapFunction;
  readonly guard: Guard;
  readonly failurePolicy: 'fail' | 'ignore';
  /** The context passed to the function when the hook is synchronous. */
  readonly immediateContext: unknown;
  /** Present in shadow mode: records what the tap would have done, instead of doing it. */
  readonly shadow: ((verdict: ShadowVerdict, detail: Readonly<Record<string, string | number>>) => void) | undefined;
}

export type ShadowVerdict = 'denied' | 'changed' | 'failed';

/** Admission taps without `operations` are called for creates, and for updates that change the spec. */
const defaultOperations: readonly string[] = ['create', 'update'];

export function matches(tap: Tap, selector: Selector): boolean {
  const { kinds, engine = '', operations, stores } = tap.options;
  if (kinds !== undefined) {
    const { kind } = selector;
    if (kind === undefined || engine !== (selector.engine ?? '')) return false;
    if (!kinds.some((known) => known.group === kind.group && known.kind === kind.kind)) return false;
  }
  if (selector.operation !== undefined && !(operations ?? defaultOperations).includes(selector.operation)) return false;
  return stores === undefined || selector.store === undefined || stores.includes(selector.store);
}

/** Returns the cache key of a selector. */
export function selectorKey({ engine, kind, operation, store }: Selector): string {
  return `${engine ?? ''}|${kind === undefined ? '' : `${kind.group}/${kind.kind}`}|${operation ?? ''}|${store ?? ''}`;
}

import type { Static, TObject } from 'typebox';
import type { Capability } from '../hooks/reconcile.js';
import type { PodTemplate } from '../kubernetes.js';
import type { Immutable, Sync } from '../values.js';

/** What a runtime may know of the process it shapes. */
export interface RuntimeFacts<P> {
  readonly application: string;
  readonly process: string;
  readonly parameters: Immutable<P>;
}

/** Shapes the pod template of one process. Pure. Lacking a capability of `requires` is refused at admission, not discovered by a stuck pod. */
export interface RuntimeType<P extends TObject = TObject> {
  readonly description: string;
  readonly parameters: P;
  readonly requires: readonly Capability[];
  shape(draft: PodTemplate, facts: RuntimeFacts<Static<P>>): Sync;
}

/** Types `facts.parameters` of a runtime by its parameter schema. */
export function runtimeType<P extends TObject>(type: RuntimeType<P>): RuntimeType {
  return type;
}

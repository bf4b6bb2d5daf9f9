import type { Static, TObject } from 'typebox';
import type { Capability } from '../hooks/reconcile.js';
import type { PodTemplate } from '../kubernetes.js';
import type { Immutable, Sync } from '../values.js';

/** What a runtime may use to shape a process. */
export interface RuntimeFacts<P> {
  readonly application: string;
  readonly process: string;
  readonly parameters: Immutable<P>;
}

/** Shapes the pod template of one process. Pure. If the cluster lacks a capability in `requires`, admission refuses the application. */
export interface RuntimeType<P extends TObject = TObject> {
  readonly description: string;
  readonly parameters: P;
  readonly requires: readonly Capability[];
  shape(draft: PodTemplate, facts: RuntimeFacts<Static<P>>): Sync;
}

/** Declares a runtime, with `facts.parameters` typed by its parameter schema. */
export function runtimeType<P extends TObject>(type: RuntimeType<P>): RuntimeType {
  return type;
}

import type { AnyKind, Condition, Context, Immutable, ReconcileContext, Resources } from '@tappaas/sdk';
import { mergeConditions, type StoredCondition } from '../reconcile/conditions.js';
import type { EngineObject } from './engine-object.js';

/** An event about an object, as `context.event` tells it. */
export interface ObjectEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface ContextParts {
  readonly object: Immutable<EngineObject>;
  readonly kind: AnyKind;
  readonly resources: Resources;
  readonly emit: (object: Immutable<EngineObject>, event: ObjectEvent) => void;
  readonly progress: (object: Immutable<EngineObject>, step: string, percent: number) => void;
}

/** What a reconcile is given: the plugin's context, reading and writing through `resources`, with verbs about the object. */
export function reconcileContext(context: Context, parts: ContextParts): ReconcileContext<AnyKind> {
  const { object, kind, resources } = parts;
  const key = { name: object.metadata.name, ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}) };
  const verbs = {
    asPlugin: resources,
    event: (event: ObjectEvent) => parts.emit(object, event),
    progress: (step: string, percent: number) => parts.progress(object, step, percent),
    async setStatus(status: object, conditions: readonly Condition[]): Promise<void> {
      const known = (object.status as { conditions?: readonly StoredCondition[] } | undefined)?.conditions ?? [];
      const generation = object.metadata.generation ?? 0;
      const merged = mergeConditions(known, conditions, { observedGeneration: generation, nowMs: context.clock.nowMs() });
      await resources.patch(
        kind,
        key,
        { status: { ...status, observedGeneration: generation, conditions: merged } },
        { subresource: 'status' },
      );
    },
  };
  // Descriptors, not assignment: the context is frozen, and assigning what a frozen prototype has throws.
  return Object.create(context, Object.getOwnPropertyDescriptors(verbs)) as ReconcileContext<AnyKind>;
}

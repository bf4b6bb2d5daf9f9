import type { AnyKind, Condition, Context, Immutable, ReconcileContext, Resources } from '@tappaas/sdk';
import { mergeConditions, type StoredCondition } from '../../reconcile/conditions.js';
import { statusPatch } from '../../reconcile/status-patch.js';
import type { EngineObject } from '../engine-object.js';
import type { OperationTracker } from '../operations/operation-tracker.js';

/** An event about an object, as passed to `context.event`. */
export interface ObjectEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** Identifies repetitions of the event with the same reason, where the message has changing figures. Default: the message. */
  readonly sameAs?: string;
}

export interface ContextParts {
  readonly object: Immutable<EngineObject>;
  readonly kind: AnyKind;
  readonly resources: Resources;
  readonly emit: (object: Immutable<EngineObject>, event: ObjectEvent) => void;
  /** Whether the kernel derives the state of the Operation from the object's conditions. Default false. */
  readonly isRendered?: boolean;
  /** Present for kinds whose changes start Operations. */
  readonly tracker?: OperationTracker;
}

/** Makes the context of a reconcile: the plugin's context, with `resources` for reading and writing, and functions about the object. */
export function reconcileContext(context: Context, parts: ContextParts): ReconcileContext<AnyKind> {
  const { object, kind, resources, isRendered = false } = parts;
  const key = { name: object.metadata.name, ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}) };
  const verbs = {
    asPlugin: resources,
    event: (event: ObjectEvent) => parts.emit(object, event),
    progress: (step: string, percent: number) => parts.tracker?.progress(object, step, percent),
    isCancelled: parts.tracker?.isCancelled(object) ?? false,
    async setStatus(status: object, conditions: readonly Condition[]): Promise<void> {
      const known = (object.status as { conditions?: readonly StoredCondition[] } | undefined)?.conditions ?? [];
      const generation = object.metadata.generation ?? 0;
      const merged = mergeConditions(known, conditions, { observedGeneration: generation, nowMs: context.clock.nowMs() });
      await resources.patch(
        kind,
        key,
        { status: statusPatch(object.status, { ...status, observedGeneration: generation, conditions: merged }) },
        { subresource: 'status' },
      );
      const ready = isRendered ? undefined : conditions.find(({ type }) => type === 'Ready');
      if (ready === undefined) return;
      const end = ready.status === 'True' ? { end: { phase: 'Succeeded', message: ready.message } as const } : {};
      await parts.tracker?.tell(object, { message: ready.message, ...end });
    },
  };
  // Uses descriptors, because the context is frozen, and assigning a property that a frozen prototype has throws.
  return Object.create(context, Object.getOwnPropertyDescriptors(verbs)) as ReconcileContext<AnyKind>;
}

import type { Condition, Immutable } from '@tappaas/sdk';
import type { Statement } from '../../reconcile/rendered-options.js';
import type { StoredCondition } from '../../reconcile/conditions.js';
import type { EngineObject } from '../engine-object.js';
import type { ObjectEvent } from '../controllers/reconcile-context.js';

type Stated = Pick<Statement, 'conditions' | 'end'>;

/**
 * Returns the event for a change in the reported state of an object: that it serves, or what prevents it. Emitted when the reason of Ready
 * changes, or for another generation, so that an unchanged object costs nothing; planned progress emits no event (docs/decisions/0256).
 * Pure.
 */
export function stateEvent(object: Immutable<EngineObject>, { conditions, end }: Stated): ObjectEvent | undefined {
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (ready === undefined || isOnItsWay(ready, conditions) || !isNews(ready, object)) return undefined;
  const { reason } = ready;
  if (ready.status === 'True' || end?.phase === 'Cancelled') return { type: 'Normal', reason, message: ready.message };
  const message = end?.phase === 'Failed' ? end.message : ready.message;
  return { type: 'Warning', reason, message, sameAs: `generation ${object.metadata.generation ?? 1}` };
}

/** Whether an object is not ready only because it is progressing as planned. */
function isOnItsWay({ status, reason }: Condition, conditions: readonly Condition[]): boolean {
  const progressing = conditions.find((condition) => condition.type === 'Progressing');
  return status !== 'True' && progressing?.status === 'True' && progressing.reason === reason;
}

function isNews({ status, reason }: Condition, { metadata, status: stored }: Immutable<EngineObject>): boolean {
  const { conditions = [] } = (stored ?? {}) as { readonly conditions?: readonly StoredCondition[] };
  const before = conditions.find(({ type }) => type === 'Ready');
  if (before === undefined || before.observedGeneration !== (metadata.generation ?? 1)) return true;
  // A consequence of a failure that has been reported already.
  if (reason === 'ReleaseFailed') return false;
  return before.status !== status || before.reason !== reason;
}

const imagesMax = 3;

/** The event for a new release, with the images of its containers. */
export function releaseEvent(release: string, cluster: string, images: Readonly<Record<string, string>>): ObjectEvent {
  const named = [...new Set(Object.values(images))];
  const more = named.length > imagesMax ? ` and ${named.length - imagesMax} more` : '';
  const what = named.length === 0 ? 'without an image of its own' : `of image ${named.slice(0, imagesMax).join(', ')}${more}`;
  return { type: 'Normal', reason: 'ReleaseCreated', message: `release ${release} ${what}, for cluster ${cluster}` };
}

/** The event for an operation that a newer change has superseded. */
export function supersededEvent(operation: string, generation: number): ObjectEvent {
  return { type: 'Normal', reason: 'Superseded', message: `operation ${operation} gave way to the change of generation ${generation}` };
}

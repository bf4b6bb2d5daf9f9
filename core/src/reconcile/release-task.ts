import { releaseTask, type Immutable, type KubernetesObject } from '@tappaas/sdk';
import type { Live } from './apply-plan.js';
import type { Intent } from './intent.js';
import { refText } from './object-ref.js';

/** Release tasks that have not succeeded. */
export interface HeldBack {
  readonly state: 'waiting' | 'failed';
  readonly message: string;
}

/** Whether an object is a Job that must complete before serving objects are changed. */
export function isReleaseTask({ kind, metadata }: Immutable<KubernetesObject>): boolean {
  return kind === 'Job' && metadata.annotations?.[releaseTask] === 'true';
}

interface JobCondition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
}

/** Returns what the release tasks block; undefined when all have succeeded. A failed task takes precedence over running ones. */
export function heldBy(applied: readonly { readonly intent: Intent; readonly live: Live }[]): HeldBack | undefined {
  const tasks = applied.filter(({ intent }) => isReleaseTask(intent.object));
  const open = tasks.filter(({ live }) => conditionOf(live, 'Complete') === undefined);
  const failed = open.find(({ live }) => conditionOf(live, 'Failed') !== undefined);
  if (failed) {
    const why = conditionOf(failed.live, 'Failed')?.message ?? 'it did not succeed';
    return { state: 'failed', message: `release task ${refText(failed.intent.ref)} failed: ${why}` };
  }
  const [first] = open;
  return first && { state: 'waiting', message: `release task ${refText(first.intent.ref)} has not succeeded yet` };
}

function conditionOf(live: Live, type: string): JobCondition | undefined {
  const { conditions = [] } = (live as { readonly status?: { readonly conditions?: readonly JobCondition[] } } | undefined)?.status ?? {};
  return conditions.find((condition) => condition.type === type && condition.status === 'True');
}

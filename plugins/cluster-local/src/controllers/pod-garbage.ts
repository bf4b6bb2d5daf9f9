import type { Context, Immutable, Outcome, Pod } from '@tappaas/sdk';
import { Nodes, Pods } from '../kinds/handles.js';
import { isFinished } from './pod-facts.js';
import { deletePod } from './replica-set.js';
import { writeStatus } from './status-write.js';

/**
 * Deletes a pod whose node is gone, since no agent would report its state or end it.
 *
 * The pod is marked as failed first: a failed pod needs no grace period, so its deletion is immediate.
 */
export async function reconcilePod(pod: Immutable<Pod>, context: Context): Promise<Outcome> {
  const node = pod.spec?.nodeName ?? '';
  if (node === '' || (await context.asPlugin.get(Nodes, { name: node })) !== undefined) return;
  if (!isFinished(pod)) await writeStatus(context, Pods, pod, { phase: 'Failed', reason: 'NodeLost', message: `node ${node} is gone` });
  await deletePod(context, pod);
}

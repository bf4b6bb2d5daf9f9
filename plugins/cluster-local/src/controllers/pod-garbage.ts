import type { Context, Immutable, Outcome, Pod } from '@tappaas/sdk';
import { Nodes, Pods } from '../kinds/handles.js';
import { isFinished } from './pod-facts.js';
import { deletePod } from './replica-set.js';
import { writeStatus } from './status-write.js';

/**
 * Removes a pod whose node is gone, because nobody is left who would report about it or end it.
 *
 * It is failed first: a failed pod needs no time to end, so its deletion is immediate.
 */
export async function reconcilePod(pod: Immutable<Pod>, context: Context): Promise<Outcome> {
  const node = pod.spec?.nodeName ?? '';
  if (node === '' || (await context.asPlugin.get(Nodes, { name: node })) !== undefined) return;
  if (!isFinished(pod)) await writeStatus(context, Pods, pod, { phase: 'Failed', reason: 'NodeLost', message: `node ${node} is gone` });
  await deletePod(context, pod);
}

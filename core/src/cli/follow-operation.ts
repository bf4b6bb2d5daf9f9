import type { Client, Followed } from '@tappaas/client';
import { isOver, tookMs, type OperationView, type StepView } from './operation-view.js';
import { operationPath } from './paths.js';
import type { Stages } from './stages.js';

/** Display names of completed deployment steps; other steps are shown by name. */
const words: Readonly<Record<string, string>> = {
  prepare: 'image settled',
  build: 'built',
  render: 'rendered',
  apply: 'applied',
  'release-tasks': 'release tasks succeeded',
  rollout: 'serving',
};

/**
 * Follows an operation until it has ended, the time is up, or `isHopeless` holds for its current step. Each step is shown once, with its
 * duration by the platform's clock.
 */
export function followOperation(
  client: Client,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  waitMsMax: number,
  stages: Stages,
  isHopeless: (step: StepView) => boolean,
): Promise<Followed<OperationView>> {
  const reported = new Set<string>();
  const enough = (operation: OperationView | undefined): boolean => {
    for (const step of operation?.status?.steps ?? []) {
      if (step.phase === 'Succeeded' && !reported.has(step.name)) {
        reported.add(step.name);
        stages.reached(words[step.name] ?? step.name, tookMs(step, 0));
      }
      if (step.phase === 'Running') {
        stages.running(step.message ?? step.name);
        if (isHopeless(step)) return true;
      }
    }
    return operation === undefined || isOver(operation);
  };
  return client.until<OperationView>({ collection: operationPath(namespace), name, timeoutMs: waitMsMax }, enough);
}

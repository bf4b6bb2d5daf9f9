import type { Immutable, KubernetesObject } from '@tappaas/sdk';
import type { ApplicationObject } from '@tappaas/sdk/kinds';
import { currentPodsOf } from './current-pods.js';

/** Says what the first running but unready pod of the new release has not done; many clusters report only that it is not ready. */
export function unreadyText({ spec }: Immutable<ApplicationObject>, observed: readonly Immutable<KubernetesObject>[]): string | undefined {
  for (const { metadata, status } of currentPodsOf(observed)) {
    const silent = status?.containerStatuses?.find(({ ready, state }) => !ready && state?.running !== undefined);
    if (metadata.deletionTimestamp !== undefined || silent === undefined) continue;
    const process = spec.processes.find(({ name }) => name === silent.name);
    const [{ port } = {}] = process?.ports?.filter(({ protocol }) => protocol !== 'UDP') ?? [];
    if (process?.probes?.readiness !== undefined) {
      const why = status?.conditions?.find(({ type }) => type === 'Ready')?.message;
      return `pod ${metadata.name} has not passed its readiness probe${why === undefined ? '' : `: ${why}`}`;
    }
    if (port !== undefined) return `pod ${metadata.name} has not opened its port ${port}`;
  }
  return undefined;
}

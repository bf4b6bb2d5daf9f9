import type { Immutable, Pod } from '@tappaas/sdk';
import { errors } from '../errors.js';

/** The container asked for, or the only one, or the one that the pod calls its default. */
export function containerOf(pod: Immutable<Pod>, asked: string | undefined): string {
  const names = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(({ name }) => name);
  const own = (pod.spec?.containers ?? []).map(({ name }) => name);
  const chosen = asked ?? pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'] ?? (own.length === 1 ? own[0] : undefined);
  if (chosen !== undefined && names.includes(chosen)) return chosen;
  const message =
    chosen === undefined
      ? `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${names.join(' ')}]`
      : `container ${chosen} is not valid for pod ${pod.metadata.name}, choose one of: [${names.join(' ')}]`;
  throw errors.CLUSTER_LOCAL_REQUEST_INVALID({ field: 'container', message });
}

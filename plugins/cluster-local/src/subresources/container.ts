import type { Immutable, Key, Pod, RequestContext } from '@tappaas/sdk';
import type { AgentRecord } from '../agent/settings.js';
import { errors } from '../errors.js';
import { Pods } from '../kinds/handles.js';
import type { AgentControl } from '../supervision/agent-control.js';

/** A container, and the agent that runs it. */
export interface AgentContainer {
  readonly pod: Immutable<Pod>;
  readonly container: string;
  readonly record: AgentRecord;
  /** The container's part of the agent's paths. */
  readonly path: string;
}

/**
 * Finds the requested container with the caller's rights.
 *
 * @throws CLUSTER_LOCAL_NOT_FOUND, CLUSTER_LOCAL_REQUEST_INVALID, CLUSTER_LOCAL_AGENT_UNREACHABLE
 */
export async function containerAtAgent(
  { key, container: requested }: { readonly key: Key; readonly container: string | undefined },
  { asCaller }: Pick<RequestContext, 'asCaller'>,
  agent: AgentControl,
): Promise<AgentContainer> {
  const pod = await asCaller.get(Pods, key);
  if (pod === undefined) throw errors.CLUSTER_LOCAL_NOT_FOUND({ message: `pod "${key.name}" not found` });
  const container = containerOf(pod, requested);
  const record = await agent.running();
  if (record === undefined) throw errors.CLUSTER_LOCAL_AGENT_UNREACHABLE({ message: 'the node agent does not run' });
  return { pod, container, record, path: `${encodeURIComponent(pod.metadata.uid ?? '')}/${encodeURIComponent(container)}` };
}

/** The requested container, else the one that the pod declares as its default, else the only one. */
function containerOf(pod: Immutable<Pod>, requested: string | undefined): string {
  const names = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(({ name }) => name);
  const own = (pod.spec?.containers ?? []).map(({ name }) => name);
  const chosen =
    requested ?? pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'] ?? (own.length === 1 ? own[0] : undefined);
  if (chosen !== undefined && names.includes(chosen)) return chosen;
  const message =
    chosen === undefined
      ? `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${names.join(' ')}]`
      : `container ${chosen} is not valid for pod ${pod.metadata.name}, choose one of: [${names.join(' ')}]`;
  throw errors.CLUSTER_LOCAL_REQUEST_INVALID({ field: 'container', message });
}

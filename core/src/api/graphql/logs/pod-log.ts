import type { Call } from '../../contributions.js';
import { untilAborted } from '../../watch/stream-pace.js';
import { textLines } from '../../watch/text-lines.js';
import type { GraphqlContext } from '../context.js';
import { graphqlErrors } from '../errors.js';
import { valueAt, type ObjectBody } from '../object-reader.js';

/** The cluster and namespace that a release's pods run in. */
export interface PodPlace {
  readonly cluster: string;
  readonly namespace: string;
}

export const pods = { group: '', version: 'v1', plural: 'pods' } as const;
export const instanceLabel = 'app.kubernetes.io/instance';
export const componentLabel = 'app.kubernetes.io/component';
/** Maximum pods whose output is read or followed at once. */
export const outputsMax = 100;
const lineCharactersMax = 16 * 1024;

/** Where a release's pods run, if any can be seen; or its cluster, if the platform does not serve the objects of that. */
export type FoundPlace = PodPlace | 'none' | { readonly unknownCluster: string };

/**
 * Takes the cluster from the release, and finds the namespace that was created there for the application's. Deliberately requires no access
 * to the namespace on the cluster; a release may be written by hand, so its namespace on the cluster must have been created for this one.
 */
export async function placeOf(release: ObjectBody | undefined, namespace: string, { parts, signal }: GraphqlContext): Promise<FoundPlace> {
  const cluster = valueAt(release, ['spec', 'cluster']);
  if (typeof cluster !== 'string') return 'none';
  const found = await parts.clusterNamespace(cluster, namespace, signal);
  if (found === 'none') return found;
  return found === 'unknown-cluster' ? { unknownCluster: cluster } : { cluster, namespace: found.name };
}

/** Returns the name of the process that a pod is a replica of. */
export const processOf = (pod: ObjectBody): string | undefined => pod.metadata.labels?.[componentLabel];

interface ContainerStatus {
  readonly restartCount?: number;
  readonly state?: { readonly waiting?: object };
}

/** Whether a pod has started: while it waits for a node, an image or a volume, reading its log is an error. */
export function hasBegun(pod: ObjectBody): boolean {
  if (valueAt(pod, ['status', 'phase']) === 'Pending') return false;
  const containers = valueAt(pod, ['status', 'containerStatuses']) as readonly ContainerStatus[] | undefined;
  return containers?.every(({ restartCount = 0, state }) => restartCount === 0 && state?.waiting !== undefined) !== true;
}

/** Yields the lines that a query of `pods/log` selects, several at a time. @throws errors of the cluster */
export async function* readPodLog(
  { parts, caller, requestId, remainingMs }: GraphqlContext,
  { cluster, namespace }: PodPlace,
  name: string,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): AsyncGenerator<readonly string[], void, void> {
  const served = parts.subresources().find((each) => each.engine === cluster && each.plural === pods.plural && each.name === 'log');
  if (served === undefined) {
    throw graphqlErrors.TAP_GRAPHQL_ARGUMENT_INVALID({ message: `cluster ${cluster} does not show logs here; ask the cluster itself` });
  }
  const call: Call = { caller, requestId, signal, remainingMs };
  const request = { params: {}, query, headers: {}, body: new Uint8Array(), key: { namespace, name } };
  const { status, body = '' } = await served.handle(request, call);
  if (status >= 300) return;
  const chunks = typeof body === 'string' || body instanceof Uint8Array ? [body] : untilAborted(body, signal);
  yield* textLines(chunks, lineCharactersMax);
}

/** Rejects a cluster whose pods are not served here: waiting for their output would never end. @throws TAP_GRAPHQL_CLUSTER_UNKNOWN */
export function refuseUnknownCluster(cluster: string, application: ObjectBody): never {
  const message = `applications "${application.metadata.name}" runs on cluster ${cluster}: expected a loaded cluster with objects to read here, found none of that name`;
  throw graphqlErrors.TAP_GRAPHQL_CLUSTER_UNKNOWN({ message });
}

/** Rejects more pods than the maximum. @throws TAP_GRAPHQL_TOO_COSTLY, because a partial result would look complete */
export function refuseTooManyPods(count: string): never {
  const message = `the output of ${count} pods is asked for, at most ${outputsMax} are read at once; name a process of fewer pods`;
  throw graphqlErrors.TAP_GRAPHQL_TOO_COSTLY({ message });
}

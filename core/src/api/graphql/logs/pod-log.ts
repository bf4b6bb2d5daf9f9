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

/** Takes the cluster from the release and maps the namespace to it. Deliberately requires no access to the namespace on the cluster. */
export function placeOf(release: ObjectBody | undefined, namespace: string, { parts }: GraphqlContext): PodPlace | undefined {
  const cluster = valueAt(release, ['spec', 'cluster']);
  if (typeof cluster !== 'string') return undefined;
  const there = parts.clusterNamespace(cluster, namespace);
  return there === undefined ? undefined : { cluster, namespace: there };
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

/** Rejects more pods than the maximum. @throws TAP_GRAPHQL_TOO_COSTLY, because a partial result would look complete */
export function refuseCrowd(count: string): never {
  const message = `the output of ${count} pods is asked for, at most ${outputsMax} are read at once; name a process of fewer pods`;
  throw graphqlErrors.TAP_GRAPHQL_TOO_COSTLY({ message });
}

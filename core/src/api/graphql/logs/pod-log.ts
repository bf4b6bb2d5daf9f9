import type { Call } from '../../contributions.js';
import { untilAborted } from '../../watch/stream-pace.js';
import { textLines } from '../../watch/text-lines.js';
import type { GraphqlContext } from '../context.js';
import { graphqlErrors } from '../errors.js';
import { valueAt, type ObjectBody } from '../object-reader.js';

/** Where the pods of a release are. */
export interface PodPlace {
  readonly cluster: string;
  readonly namespace: string;
}

export const pods = { group: '', version: 'v1', plural: 'pods' } as const;
export const instanceLabel = 'app.kubernetes.io/instance';
export const componentLabel = 'app.kubernetes.io/component';
/** Pods whose output is read or followed at once. */
export const outputsMax = 100;
const lineCharactersMax = 16 * 1024;

/** The release tells the cluster. The namespace there follows from the application's own: nobody is asked about access to it. */
export function placeOf(release: ObjectBody | undefined, namespace: string, { parts }: GraphqlContext): PodPlace | undefined {
  const cluster = valueAt(release, ['spec', 'cluster']);
  if (typeof cluster !== 'string') return undefined;
  const there = parts.clusterNamespace(cluster, namespace);
  return there === undefined ? undefined : { cluster, namespace: there };
}

/** What a pod of an application is a replica of. */
export const processOf = (pod: ObjectBody): string | undefined => pod.metadata.labels?.[componentLabel];

interface ContainerStatus {
  readonly restartCount?: number;
  readonly state?: { readonly waiting?: object };
}

/** Whether a pod has written or could have: while it waits for a node, an image or a volume, asking for its output is an error. */
export function hasBegun(pod: ObjectBody): boolean {
  if (valueAt(pod, ['status', 'phase']) === 'Pending') return false;
  const containers = valueAt(pod, ['status', 'containerStatuses']) as readonly ContainerStatus[] | undefined;
  return containers?.every(({ restartCount = 0, state }) => restartCount === 0 && state?.waiting !== undefined) !== true;
}

/** The lines that a query of `pods/log` selects, several at a time. @throws what the cluster refuses with */
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

/** @throws TAP_GRAPHQL_TOO_COSTLY: a part of them would look like all */
export function refuseCrowd(count: string): never {
  const message = `the output of ${count} pods is asked for, at most ${outputsMax} are read at once; name a process of fewer pods`;
  throw graphqlErrors.TAP_GRAPHQL_TOO_COSTLY({ message });
}

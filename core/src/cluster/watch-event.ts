import type { KubernetesObject } from '@tappaas/sdk';
import { clusterErrors, errorOfAnswer } from './errors.js';

/** An event of a watch. */
export type WatchEvent<T> =
  | { readonly type: 'added' | 'modified' | 'deleted'; readonly object: T }
  | { readonly type: 'bookmark'; readonly revision: string };

const types = { ADDED: 'added', MODIFIED: 'modified', DELETED: 'deleted' } as const;

/** Parses a line of a watch; `what` describes the request. @throws TAP_CLUSTER_FAILED, and the error that the line reports */
export function watchEvent<T>(line: string, what: string): WatchEvent<T> {
  const { type, object } = parse(line, what);
  if (type === 'BOOKMARK') return { type: 'bookmark', revision: (object as KubernetesObject).metadata.resourceVersion ?? '' };
  if (type === 'ERROR') throw errorOfAnswer(what, (object as { code?: number }).code ?? 500, object);
  const known = types[type as keyof typeof types];
  if (known === undefined) throw clusterErrors.TAP_CLUSTER_FAILED({ message: `${what}: an event of the unknown type "${type}"` });
  return { type: known, object: object as T };
}

function parse(line: string, what: string): { type: string; object: unknown } {
  try {
    return JSON.parse(line) as { type: string; object: unknown };
  } catch (cause) {
    throw clusterErrors.TAP_CLUSTER_FAILED({ message: `${what}: the cluster sent an event that is not JSON`, cause });
  }
}

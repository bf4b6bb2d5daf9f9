import type { Decision } from '../../schedule/decision.js';

/** Where a pod was placed, as shown by `tappaas explain`. */
export interface Placement {
  readonly pod: string;
  /** Time of the decision in ISO 8601. */
  readonly at: string;
  readonly outcome: string;
  readonly node?: string;
  readonly message: string;
}

/** A pod by its name on the cluster, or an application. */
export interface PlacedObject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * Returns the last decision about each pod of an object, given decisions with the latest first; earlier ones no longer explain where a pod
 * is.
 * `namespaceOf` returns the cluster's namespace for a platform namespace.
 */
export async function placementsOf(
  decisions: readonly Decision[],
  { kind, namespace, name }: PlacedObject,
  namespaceOf: (namespace: string) => Promise<string>,
): Promise<readonly Placement[]> {
  const place = kind === 'Pod' ? namespace : await namespaceOf(namespace);
  const isMeant = ({ pod }: Decision) => pod.namespace === place && (kind === 'Pod' ? pod.name : pod.instance) === name;
  const seen = new Set<string>();
  return decisions
    .filter(isMeant)
    .filter(({ pod }) => seen.size < seen.add(pod.uid).size)
    .map(placementOf);
}

function placementOf({ pod, atMs, outcome, chosen, message, refused }: Decision): Placement {
  const why = chosen
    ? `best of ${chosen.parts.map(({ plugin, points }) => `${plugin} ${points}`).join(', ') || 'equals'}`
    : refused.map((refusal) => refusal.message).join('; ');
  const at = new Date(atMs).toISOString();
  return { pod: `${pod.namespace}/${pod.name}`, at, outcome, ...(chosen ? { node: chosen.node } : {}), message: message ?? why };
}

import type { Decision } from '../schedule/decision.js';

/** Where a pod went, as `tappaas explain` shows it. */
export interface Placement {
  readonly pod: string;
  /** When it was decided, as in ISO 8601. */
  readonly at: string;
  readonly outcome: string;
  readonly node?: string;
  readonly message: string;
}

/** A pod, or an application: whose pods bear its name. */
export interface PlacedObject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** The last decision about each pod of an object, of decisions with the latest first: earlier ones are no longer why a pod is where it is. */
export function placementsOf(decisions: readonly Decision[], { kind, namespace, name }: PlacedObject): readonly Placement[] {
  const seen = new Set<string>();
  return decisions
    .filter(({ pod }) => (kind === 'Pod' ? pod.name === name && pod.namespace === namespace : pod.name.startsWith(`${name}-`)))
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

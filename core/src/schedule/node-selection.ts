import type { Immutable, NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from '@tappaas/sdk';

/** The part of a node that selectors evaluate. */
export interface Selectable {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export type NodePredicate = (node: Selectable) => boolean;

/** Compiles the node selector and the required node affinity; undefined when the pod has neither. */
export function nodeSelectionOf(spec: Immutable<PodSpec>): NodePredicate | undefined {
  const wanted = Object.entries(spec.nodeSelector ?? {});
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (wanted.length === 0 && required === undefined) return undefined;
  const terms = required?.nodeSelectorTerms.map(compileTerm);
  return (node) => wanted.every(([key, value]) => labelOf(node, key) === value) && (terms?.some((matches) => matches(node)) ?? true);
}

/** Compiles the preferred node affinity to the sum of the matching terms' weights; undefined when there is none. */
export function nodePreferenceOf(spec: Immutable<PodSpec>): ((node: Selectable) => number) | undefined {
  const preferred = spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  if (preferred.length === 0) return undefined;
  const terms = preferred.map(({ weight, preference }) => ({ weight, matches: compileTerm(preference) }));
  return (node) => terms.reduce((sum, { weight, matches }) => sum + (matches(node) ? weight : 0), 0);
}

/** A term without requirements matches nothing. */
function compileTerm({ matchExpressions = [], matchFields = [] }: Immutable<NodeSelectorTerm>): NodePredicate {
  if (matchExpressions.length === 0 && matchFields.length === 0) return () => false;
  const labels = matchExpressions.map((requirement) => ({ key: requirement.key, matches: compile(requirement) }));
  const fields = matchFields.map((requirement) => ({ key: requirement.key, matches: compile(requirement) }));
  return (node) =>
    labels.every(({ key, matches }) => matches(labelOf(node, key))) &&
    fields.every(({ key, matches }) => key === 'metadata.name' && matches(node.name));
}

/** @source https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#operators */
function compile({ operator, values = [] }: Immutable<NodeSelectorRequirement>): (value: string | undefined) => boolean {
  const set = new Set(values);
  const bound = integerOf(values[0]);
  switch (operator) {
    case 'In':
      return (value) => value !== undefined && set.has(value);
    case 'NotIn':
      return (value) => value === undefined || !set.has(value);
    case 'Exists':
      return (value) => value !== undefined;
    case 'DoesNotExist':
      return (value) => value === undefined;
    case 'Gt':
      return (value) => compared(integerOf(value), bound, (a, b) => a > b);
    case 'Lt':
      return (value) => compared(integerOf(value), bound, (a, b) => a < b);
    default:
      // An operator of a later version matches nothing, so that no pod is placed on a guess.
      return () => false;
  }
}

function compared(a: bigint | undefined, b: bigint | undefined, holds: (a: bigint, b: bigint) => boolean): boolean {
  return a !== undefined && b !== undefined && holds(a, b);
}

function integerOf(text: string | undefined): bigint | undefined {
  return text !== undefined && /^[+-]?\d{1,20}$/.test(text) ? BigInt(text.replace('+', '')) : undefined;
}

function labelOf({ labels }: Selectable, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

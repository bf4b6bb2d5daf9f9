import type { Immutable, PodSpec, Taint, Toleration } from '@tappaas/sdk';

type Tolerations = NonNullable<Immutable<PodSpec>['tolerations']>;

/** The taint of an unschedulable node: only pods that tolerate it are placed there. */
const unschedulableTaint: Immutable<Taint> = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** Makes a check that returns why pods with these tolerations may not go to a node, or undefined if they may. */
export function tolerationCheck(
  tolerations: Tolerations,
): (node: { readonly taints: readonly Immutable<Taint>[]; readonly unschedulable: boolean }) => string | undefined {
  const tolerated = (taint: Immutable<Taint>) => tolerations.some((toleration) => tolerates(toleration, taint));
  const unschedulable = tolerated(unschedulableTaint);
  return (node) => {
    if (node.unschedulable && !unschedulable) return 'the node is marked unschedulable';
    if (node.taints.length === 0) return undefined;
    const taint = node.taints.find((taint) => taint.effect !== 'PreferNoSchedule' && !tolerated(taint));
    return taint && `the node has the taint ${textOf(taint)}, which the pod does not tolerate`;
  };
}

/** Makes a function that counts the taints by which a node asks such pods to stay away if possible. */
export function avoidedTaints(tolerations: Tolerations): (node: { readonly taints: readonly Immutable<Taint>[] }) => number {
  return ({ taints }) => {
    let count = 0;
    for (const taint of taints) {
      if (taint.effect === 'PreferNoSchedule' && !tolerations.some((toleration) => tolerates(toleration, taint))) count++;
    }
    return count;
  };
}

/**
 * Whether a toleration matches a taint. Operators other than Exists and Equal match nothing: they are not in general use, and no pod is
 * placed on a guess.
 *
 * @source https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
 */
export function tolerates(toleration: Immutable<Toleration>, taint: Immutable<Taint>): boolean {
  const { key = '', operator = 'Equal', value = '', effect = '' } = toleration;
  if ((effect as string) !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  if (operator === 'Exists') return true;
  return operator === 'Equal' && key !== '' && value === (taint.value ?? '');
}

function textOf({ key, value = '', effect }: Immutable<Taint>): string {
  return `${key}${value === '' ? '' : `=${value}`}:${effect}`;
}

import type { Immutable, Strings } from '@tappaas/sdk';
import type { LabelSelector } from '@tappaas/sdk/kubernetes';

/** Whether labels match a selector; an empty selector matches everything. */
export function selects({ matchLabels = {}, matchExpressions = [] }: Immutable<LabelSelector>, labels: Strings = {}): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      const isIn = value !== undefined && values.includes(value);
      return operator === 'In' ? isIn : operator === 'NotIn' && !isIn;
    })
  );
}

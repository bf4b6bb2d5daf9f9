import type { Immutable, LabelSelector } from '@tappaas/sdk';

type Labels = Readonly<Record<string, string>> | undefined;

/** Whether labels match a selector; an empty selector matches everything, an absent one nothing. */
export function matchesSelector(selector: Immutable<LabelSelector> | undefined, labels: Labels): boolean {
  if (selector === undefined) return false;
  return (
    matchesLabels(selector.matchLabels ?? {}, labels) &&
    (selector.matchExpressions ?? []).every((requirement) => matchesRequirement(requirement, labels))
  );
}

/** Whether the labels include all wanted ones. */
export function matchesLabels(wanted: Readonly<Record<string, string>>, labels: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => labels?.[key] === value);
}

function matchesRequirement(
  { key, operator, values }: NonNullable<Immutable<LabelSelector>['matchExpressions']>[number],
  labels: Labels,
): boolean {
  const value = labels?.[key];
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  if (operator === 'In') return value !== undefined && (values ?? []).includes(value);
  return value === undefined || !(values ?? []).includes(value);
}

/** Formats a selector for list queries. */
export function selectorText(selector: Immutable<LabelSelector>): string {
  const equal = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const requirements = (selector.matchExpressions ?? []).map(({ key, operator, values }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${(values ?? []).join(',')})`;
  });
  return [...equal, ...requirements].join(',');
}

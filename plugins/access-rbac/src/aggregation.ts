import type { Immutable } from '@tappaas/sdk';
import type { ClusterRole } from '@tappaas/sdk/kubernetes';
import { selects } from './label-selector.js';
import type { Rule } from './rule.js';

/** The rules that an aggregated role shall have: those of every role that a selector of it fits, in the order of names, each once. */
export function aggregatedRules(role: Immutable<ClusterRole>, all: readonly Immutable<ClusterRole>[]): readonly Rule[] {
  const selectors = role.aggregationRule?.clusterRoleSelectors ?? [];
  const parts = selectors.flatMap((selector) =>
    all.filter(({ metadata }) => metadata.name !== role.metadata.name && selects(selector, metadata.labels)).toSorted(byName),
  );
  const rules = new Map<string, Rule>();
  for (const rule of parts.flatMap((part) => part.rules ?? [])) rules.set(ruleKey(rule), rule);
  return [...rules.values()];
}

const byName = (a: Immutable<ClusterRole>, b: Immutable<ClusterRole>): number =>
  (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;

/** Says of two rules whether they are written the same. */
function ruleKey({ verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: Rule): string {
  return JSON.stringify([verbs, apiGroups, resources, resourceNames, nonResourceURLs]);
}

export const sameRules = (a: readonly Rule[], b: readonly Rule[]): boolean =>
  a.length === b.length && a.every((rule, index) => ruleKey(rule) === ruleKey(b[index] ?? { verbs: [] }));

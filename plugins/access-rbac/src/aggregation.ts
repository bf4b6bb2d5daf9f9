import type { Immutable } from '@tappaas/sdk';
import type { ClusterRole } from '@tappaas/sdk/kubernetes';
import { selects } from './label-selector.js';
import type { Rule } from './rule.js';

/**
 * The rules of an aggregated role: those of every role that matches one of its selectors, in the order of role names,
 * without duplicates.
 */
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

/** Identifies rules with equal content. */
function ruleKey({ verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: Rule): string {
  return JSON.stringify([verbs, apiGroups, resources, resourceNames, nonResourceURLs]);
}

export const sameRules = (a: readonly Rule[], b: readonly Rule[]): boolean =>
  a.length === b.length && a.every((rule, index) => ruleKey(rule) === ruleKey(b[index] ?? { verbs: [] }));

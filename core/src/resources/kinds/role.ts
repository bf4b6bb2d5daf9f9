import type { AnyKind, Denial, KindBehaviour } from '@tappaas/sdk';
import { isJsonObject, memberOf, type JsonObject } from '../schema/json-value.js';

/** Checks that each rule covers either objects or paths, never both, and that only cluster-wide roles use paths. */
export const roleBehaviour: KindBehaviour<AnyKind> = {
  check(object: JsonObject) {
    const isCluster = object['kind'] === 'ClusterRole';
    return [
      ...membersOf(object, 'rules').flatMap((rule, index) => ruleDenials(rule, `rules[${index}]`, isCluster)),
      ...aggregationDenials(object),
    ];
  },
};

function ruleDenials(rule: JsonObject, path: string, isCluster: boolean): readonly Denial[] {
  const has = (field: string): boolean => membersOf(rule, field).length > 0;
  const verbs = has('verbs') ? [] : [required(`${path}.verbs`, 'verbs must contain at least one value')];
  if (!has('nonResourceURLs')) {
    return [
      ...verbs,
      ...(has('apiGroups') ? [] : [required(`${path}.apiGroups`, 'resource rules must supply at least one api group')]),
      ...(has('resources') ? [] : [required(`${path}.resources`, 'resource rules must supply at least one resource')]),
    ];
  }
  const refuse = (message: string): Denial => ({ field: `${path}.nonResourceURLs`, reason: 'FieldValueInvalid', message });
  return [
    ...verbs,
    ...(isCluster ? [] : [refuse('namespaced rules cannot apply to non-resource URLs')]),
    ...(['apiGroups', 'resources', 'resourceNames'].some(has)
      ? [refuse('rules cannot apply to both regular resources and non-resource URLs')]
      : []),
  ];
}

function aggregationDenials(object: JsonObject): readonly Denial[] {
  const rule = object['aggregationRule'];
  if (!isJsonObject(rule)) return [];
  const selectors = membersOf(rule, 'clusterRoleSelectors');
  const path = 'aggregationRule.clusterRoleSelectors';
  if (selectors.length === 0) return [required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil')];
  return [];
}

function required(field: string, message: string): Denial {
  return { field, reason: 'FieldValueRequired', message };
}

function membersOf(object: JsonObject, field: string): readonly JsonObject[] {
  const members = memberOf(object, field);
  return Array.isArray(members) ? (members as readonly JsonObject[]) : [];
}

import { administratorsGroup, type Caller, type Denial, deny, type Immutable } from '@tappaas/sdk';
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '@tappaas/sdk/kubernetes';
import { sameRules } from './aggregation.js';
import { uncovered } from './cover.js';
import { rbacGroup } from './kinds.js';
import type { RoleIndex } from './role-index.js';
import type { Rule } from './rule.js';

/** What an aggregated role may come to hold. */
const everything: readonly Rule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];
const whyNotHeld = ', as the caller is of no tenant (it takes a role that may oversee tenants.platform.tappaas.dev)';
/** Maximum number of missing rules listed in a message. */
const toldMax = 20;

interface Write<O> {
  readonly caller: Caller;
  /** What the caller is given everywhere does not count where the object lies; of one without a namespace: not in all that it holds for. */
  readonly isProjectOnly?: true;
  readonly object: Immutable<O>;
  readonly previous?: Immutable<O>;
}

/**
 * Nobody writes a role with more than they have with the credential they use, unless they may `escalate` it. Labels of a Role give nobody
 * anything; those of a ClusterRole may have it taken up into others. What holds in every tenant, only who has it there writes.
 */
export function roleEscalation(index: RoleIndex, write: Write<Role | ClusterRole>): readonly Denial[] {
  const { object, previous } = write;
  const { name, namespace } = object.metadata;
  if (object.kind === 'Role' && previous !== undefined && sameRules(object.rules ?? [], previous.rules ?? [])) return [];
  const plural = object.kind === 'Role' ? 'roles' : 'clusterroles';
  const giver = { ...write, namespace };
  if (isFree(index, giver, 'escalate', plural, name ?? '')) return [];
  const isAggregated = [object, previous].some(
    (each) => each !== undefined && 'aggregationRule' in each && each.aggregationRule !== undefined,
  );
  return refused(index, giver, [...(object.rules ?? []), ...(isAggregated ? everything : [])], 'rules');
}

/** Nobody binds a role with more than they have, unless they may `bind` it. */
export function bindingEscalation(index: RoleIndex, write: Write<RoleBinding | ClusterRoleBinding>): readonly Denial[] {
  const { object, previous } = write;
  const { roleRef } = object;
  if (previous !== undefined && isSameBinding(object, previous)) return [];
  const namespace = object.kind === 'RoleBinding' ? object.metadata.namespace : undefined;
  const plural = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  const giver = { ...write, namespace };
  if (isFree(index, giver, 'bind', plural, roleRef.name)) return [];
  const rules = index.rulesOf(roleRef, namespace);
  if (rules !== undefined) return refused(index, giver, rules, 'roleRef');
  const message = `${plural}.${rbacGroup} "${roleRef.name}" not found: who may not bind any role can bind only one that exists`;
  return [deny({ field: 'roleRef.name', reason: 'NotFound', message })];
}

type Bound = Immutable<RoleBinding | ClusterRoleBinding>;

/** What stands beside role and subjects gives nobody anything. */
const isSameBinding = (one: Bound, other: Bound): boolean =>
  JSON.stringify([one.roleRef, one.subjects ?? []]) === JSON.stringify([other.roleRef, other.subjects ?? []]);

/** Who hands something on, and where. */
interface Giver extends Pick<Write<unknown>, 'caller' | 'isProjectOnly'> {
  readonly namespace: string | undefined;
}

function isFree(index: RoleIndex, { caller, isProjectOnly, namespace }: Giver, verb: string, plural: string, name: string): boolean {
  if (!isGoodFor(caller, verb)) return false;
  if (caller.groups.includes(administratorsGroup)) return true;
  const resource = { group: rbacGroup, version: 'v1', plural, name, ...(namespace !== undefined && { namespace }) };
  // Cluster roles themselves are no tenant's: the right to hand one on, or to write it, is heeded wherever it was given.
  const where = namespace === undefined ? {} : { project: namespace, ...(isProjectOnly && { isProjectOnly }) };
  return index.decide({ caller, verb, resource, ...where }).decision === 'allow';
}

function refused(index: RoleIndex, { caller, isProjectOnly, namespace }: Giver, wanted: readonly Rule[], field: string): readonly Denial[] {
  try {
    const missing = uncovered(withinScope(index.rulesFor(caller, namespace, isProjectOnly), caller), wanted);
    if (missing.length === 0) return [];
    const more = missing.length > toldMax ? `\nand ${missing.length - toldMax} more` : '';
    const held = isProjectOnly && namespace === undefined ? ` in all tenants${whyNotHeld}` : credentialOf(caller);
    const message = `user "${caller.name}" (groups=${JSON.stringify(caller.groups)}) is attempting to grant RBAC permissions not currently held${held}:\n${missing.slice(0, toldMax).map(told).join('\n')}${more}`;
    return [deny({ field, reason: 'Forbidden', message })];
  } catch (error) {
    if (error instanceof RangeError) return [deny({ field, reason: 'FieldValueTooLong', message: `${error.message}; split it` })];
    throw error;
  }
}

/** Whether the caller's credential is good for a verb; access has seen to its namespaces. */
function isGoodFor({ scope }: Caller, verb: string): boolean {
  return scope?.verbs === undefined || scope.verbs.includes('*') || scope.verbs.includes(verb);
}

/** Who hands on more than the credential is good for would have the rest from whom it was handed to, such as a service account. */
function withinScope(rules: readonly Rule[], caller: Caller): readonly Rule[] {
  if (isGoodFor(caller, '*')) return rules;
  const good = caller.scope?.verbs ?? [];
  return rules.map((rule) => ({
    ...rule,
    verbs: rule.verbs.includes('*') ? good : rule.verbs.filter((verb) => isGoodFor(caller, verb)),
  }));
}

function credentialOf(caller: Caller): string {
  return isGoodFor(caller, '*') ? '' : ` with a credential for ${caller.scope?.verbs?.join(', ') ?? ''}`;
}

/** As kube-apiserver prints a rule. */
function told(rule: Rule): string {
  const names = {
    apiGroups: 'APIGroups',
    resources: 'Resources',
    resourceNames: 'ResourceNames',
    nonResourceURLs: 'NonResourceURLs',
    verbs: 'Verbs',
  };
  const parts = Object.entries(names).map(([field, name]) => [name, rule[field as keyof Rule]] as const);
  return `{${parts.flatMap(([name, words]) => (words === undefined ? [] : `${name}:${JSON.stringify(words)}`)).join(', ')}}`;
}

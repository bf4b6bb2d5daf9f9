import { administratorsGroup, type Caller, type Denial, deny, type Immutable } from '@tappaas/sdk';
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '@tappaas/sdk/kubernetes';
import { sameRules } from './aggregation.js';
import { uncovered } from './cover.js';
import { rbacGroup } from './kinds.js';
import type { RoleIndex } from './role-index.js';
import type { Rule } from './rule.js';

/** The rules that an aggregated role may contain in the future. */
const everything: readonly Rule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];
const whyNotHeld = ', as the caller is of no tenant (it takes a role that may oversee tenants.platform.tappaas.dev)';
/** Maximum number of missing rules listed in a message. */
const namedRulesMax = 20;

interface Write<O> {
  readonly caller: Caller;
  /**
   * The caller's cluster-wide grants do not count in the object's namespace. For an object without a namespace: they do not apply inside
   * all tenants, so they do not suffice to write it.
   */
  readonly isProjectOnly?: true;
  readonly object: Immutable<O>;
  readonly previous?: Immutable<O>;
}

/**
 * Denies writing a role with more rights than the caller has with the current credential, unless the caller may
 * `escalate` it. A change of labels alone is checked only for a ClusterRole, since labels can aggregate it into other roles;
 * labels of a Role grant nothing. Rules that hold in every tenant can be written only by callers that hold them in
 * every tenant.
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

/** Denies binding a role with more rights than the caller has, unless the caller may `bind` it. */
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

/** Only the role and the subjects of a binding grant anything. */
const isSameBinding = (one: Bound, other: Bound): boolean =>
  JSON.stringify([one.roleRef, one.subjects ?? []]) === JSON.stringify([other.roleRef, other.subjects ?? []]);

/** The caller who passes on rights, and the namespace where they will hold. */
interface Giver extends Pick<Write<unknown>, 'caller' | 'isProjectOnly'> {
  readonly namespace: string | undefined;
}

function isFree(index: RoleIndex, { caller, isProjectOnly, namespace }: Giver, verb: string, plural: string, name: string): boolean {
  if (!isGoodFor(caller, verb)) return false;
  if (caller.groups.includes(administratorsGroup)) return true;
  const resource = { group: rbacGroup, version: 'v1', plural, name, ...(namespace !== undefined && { namespace }) };
  // ClusterRoles belong to no tenant: for them, `escalate` and `bind` count even if granted only cluster-wide, so
  // `isProjectOnly` is ignored.
  const where = namespace === undefined ? {} : { project: namespace, ...(isProjectOnly && { isProjectOnly }) };
  return index.decide({ caller, verb, resource, ...where }).decision === 'allow';
}

function refused(index: RoleIndex, { caller, isProjectOnly, namespace }: Giver, wanted: readonly Rule[], field: string): readonly Denial[] {
  try {
    const missing = uncovered(withinScope(index.rulesFor(caller, namespace, isProjectOnly), caller), wanted);
    if (missing.length === 0) return [];
    const more = missing.length > namedRulesMax ? `\nand ${missing.length - namedRulesMax} more` : '';
    const held = isProjectOnly && namespace === undefined ? ` in all tenants${whyNotHeld}` : credentialOf(caller);
    const message = `user "${caller.name}" (groups=${JSON.stringify(caller.groups)}) is attempting to grant RBAC permissions not currently held${held}:\n${missing.slice(0, namedRulesMax).map(describe).join('\n')}${more}`;
    return [deny({ field, reason: 'Forbidden', message })];
  } catch (error) {
    if (error instanceof RangeError) return [deny({ field, reason: 'FieldValueTooLong', message: `${error.message}; split it` })];
    throw error;
  }
}

/** Whether the scope of the caller's credential includes a verb; the kernel has already checked its namespaces. */
function isGoodFor({ scope }: Caller, verb: string): boolean {
  return scope?.verbs === undefined || scope.verbs.includes('*') || scope.verbs.includes(verb);
}

/**
 * Restricts rules to the scope of the caller's credential: otherwise the caller could grant the rest to, for example, a
 * service account and use it from there.
 */
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

/** Formats a rule as kube-apiserver does. */
function describe(rule: Rule): string {
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

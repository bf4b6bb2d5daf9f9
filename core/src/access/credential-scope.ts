import { type AccessDecision, type AccessRequest, type AccessRules, type AccessScope, platformEngine } from '@tappaas/sdk';
import { everybodysRules, isEverybodys } from './built-in-rules.js';
import { isNamespace, isReading } from './tenant-boundary.js';

/** Refuses requests outside of the credential's scope; undefined within it. Applied before any rule, even for administrators. */
export function refusedByScope(request: AccessRequest): AccessDecision | undefined {
  const { scope } = request.caller;
  if (scope === undefined || isEverybodys(request)) return undefined;
  if (!coversVerb(scope, request.verb)) return refused(`verbs ${scope.verbs?.join(', ') || 'none'}`);
  if (scope.namespaces !== undefined && !isInNamespaces(request, scope.namespaces)) {
    return refused(`namespaces ${scope.namespaces.join(', ') || 'none'}`);
  }
  return undefined;
}

/** Returns the part of the rules that the scope permits in one namespace; the rules for everyone are in every scope. */
export function narrowedRules(rules: AccessRules, scope: AccessScope | undefined, namespace: string): AccessRules {
  if (scope === undefined || rules === everybodysRules) return rules;
  const { verbs, namespaces } = scope;
  if (namespaces?.includes(namespace) === false) return { ...rules, resourceRules: [], nonResourceRules: [] };
  const nonResourceRules = namespaces === undefined ? rules.nonResourceRules : [];
  if (verbs === undefined) return { ...rules, nonResourceRules };
  return {
    ...rules,
    resourceRules: rules.resourceRules.flatMap((rule) => narrowed(rule, verbs)),
    nonResourceRules: nonResourceRules.flatMap((rule) => narrowed(rule, verbs)),
  };
}

function narrowed<R extends { readonly verbs: readonly string[] }>(rule: R, verbs: readonly string[]): readonly R[] {
  const granted = rule.verbs;
  const left = granted.includes('*') ? verbs : verbs.includes('*') ? granted : granted.filter((verb) => verbs.includes(verb));
  return left.length === 0 ? [] : [{ ...rule, verbs: left }];
}

function coversVerb({ verbs }: AccessScope, verb: string): boolean {
  return verbs === undefined || verbs.includes(verb) || verbs.includes('*') || (verb === 'head' && verbs.includes('get'));
}

/**
 * Whether a request is within the scope's namespaces. Their Namespace objects can be read but not changed, because their labels determine
 * the owner.
 */
function isInNamespaces({ engine, verb, resource }: AccessRequest, namespaces: readonly string[]): boolean {
  if (resource === undefined || engine !== platformEngine) return false;
  const { namespace, name } = resource;
  if (isNamespace(resource)) return isReading({ verb }) && name !== undefined && namespaces.includes(name);
  return namespace !== undefined && namespaces.includes(namespace);
}

function refused(scope: string): AccessDecision {
  return { decision: 'deny', reason: `the credential is good for ${scope} only` };
}

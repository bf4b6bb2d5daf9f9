import { isAboutPaths, prefixOf, type Rule } from './rule.js';

/** Maximum number of single combinations of a rule; a rule with more must be split. */
const combinationsMax = 20_000;

const any = '*';

/**
 * Returns the wanted rules that the owned ones do not cover, by the algorithm of kube-apiserver's RBAC: each wanted
 * rule is broken down into single combinations, each of which must be covered completely by one owned rule.
 *
 * @throws RangeError for a rule with more combinations than the maximum
 */
export function uncovered(owned: readonly Rule[], wanted: readonly Rule[]): readonly Rule[] {
  return wanted.flatMap((rule) => (owned.some((each) => covers(each, rule)) ? [] : missingOf(owned, rule)));
}

function missingOf(owned: readonly Rule[], rule: Rule): readonly Rule[] {
  const missing: Rule[] = [];
  for (const single of brokenDown(rule)) if (!owned.some((each) => covers(each, single))) missing.push(single);
  return missing;
}

function* brokenDown(rule: Rule): Generator<Rule> {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const names = resourceNames.length === 0 ? [undefined] : resourceNames;
  const count = verbs.length * (apiGroups.length * resources.length * names.length + nonResourceURLs.length);
  if (count > combinationsMax) {
    throw new RangeError(
      `a rule stands for ${count} combinations of verbs, groups, resources and names, at most ${combinationsMax} are looked at`,
    );
  }
  for (const verb of verbs) {
    for (const apiGroup of apiGroups) {
      for (const resource of resources) {
        for (const name of names) {
          yield { verbs: [verb], apiGroups: [apiGroup], resources: [resource], ...(name !== undefined && { resourceNames: [name] }) };
        }
      }
    }
    if (isAboutPaths(rule)) for (const url of nonResourceURLs) yield { verbs: [verb], nonResourceURLs: [url] };
  }
}

function covers(owner: Rule, wanted: Rule): boolean {
  return (
    hasAll(owner.verbs, wanted.verbs) &&
    hasAll(owner.apiGroups, wanted.apiGroups) &&
    coversResources(owner.resources, wanted.resources) &&
    (wanted.nonResourceURLs ?? []).every((url) => (owner.nonResourceURLs ?? []).some((each) => coversUrl(each, url))) &&
    coversNames(owner.resourceNames, wanted.resourceNames)
  );
}

type Words = readonly string[] | undefined;

function hasAll(owner: Words = [], wanted: Words = []): boolean {
  return owner.includes(any) || wanted.every((word) => owner.includes(word));
}

/** `*` is every resource, and `*` + `/scale` is that subresource of every resource. */
function coversResources(owner: Words = [], wanted: Words = []): boolean {
  if (hasAll(owner, wanted)) return true;
  return wanted.every((resource) => {
    const [, subresource] = resource.split('/');
    return owner.includes(resource) || (subresource !== undefined && owner.includes(`${any}/${subresource}`));
  });
}

function coversUrl(owner: string, wanted: string): boolean {
  return owner === wanted || (owner.endsWith(any) && wanted.startsWith(prefixOf(owner)));
}

/** An empty list means every name. */
function coversNames(owner: Words = [], wanted: Words = []): boolean {
  if (owner.length === 0) return true;
  return wanted.length > 0 && wanted.every((name) => owner.includes(name));
}

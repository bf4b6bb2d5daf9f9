import type { AccessRequest, Immutable } from '@tappaas/sdk';
import type { PolicyRule } from '@tappaas/sdk/kubernetes';

/** A rule of a role. */
export type Rule = Immutable<PolicyRule>;

/** An access request without its caller. */
export type RuleRequest = Pick<AccessRequest, 'verb' | 'resource' | 'path'>;

const any = '*';

/** The rules of a role, compiled for matching: indexed by verb, with lists as sets. */
export class CompiledRules {
  readonly #byVerb = new Map<string, Matcher[]>();
  readonly #anyVerb: Matcher[] = [];
  readonly #pathsByVerb = new Map<string, PathMatcher[]>();
  readonly #pathsAnyVerb: PathMatcher[] = [];

  constructor(rules: readonly Rule[]) {
    for (const rule of rules) {
      if (isAboutPaths(rule)) put(rule, pathMatcher(rule.nonResourceURLs ?? []), this.#pathsByVerb, this.#pathsAnyVerb);
      if (rule.resources !== undefined) put(rule, new Matcher(rule), this.#byVerb, this.#anyVerb);
    }
  }

  allows({ verb, resource, path }: RuleRequest): boolean {
    if (resource !== undefined) return allowed(this.#byVerb.get(verb), resource) || allowed(this.#anyVerb, resource);
    if (path === undefined) return false;
    return fits(this.#pathsByVerb.get(verb), path) || fits(this.#pathsAnyVerb, path);
  }
}

export const isAboutPaths = ({ nonResourceURLs = [] }: Rule): boolean => nonResourceURLs.length > 0;

function put<M>({ verbs }: Rule, matcher: M, byVerb: Map<string, M[]>, anyVerb: M[]): void {
  if (verbs.includes(any)) {
    anyVerb.push(matcher);
    return;
  }
  for (const verb of new Set(verbs)) byVerb.set(verb, [...(byVerb.get(verb) ?? []), matcher]);
}

type RequestedResource = NonNullable<AccessRequest['resource']>;

/** A plain loop, since this runs for every request. */
function allowed(matchers: readonly Matcher[] | undefined, resource: RequestedResource): boolean {
  if (matchers === undefined) return false;
  for (const matcher of matchers) if (matcher.matches(resource)) return true;
  return false;
}

class Matcher {
  /** Undefined means any. */
  readonly #groups: ReadonlySet<string> | undefined;
  readonly #resources: ReadonlySet<string> | undefined;
  readonly #names: ReadonlySet<string> | undefined;

  constructor({ apiGroups = [], resources = [], resourceNames = [] }: Rule) {
    this.#groups = apiGroups.includes(any) ? undefined : new Set(apiGroups);
    this.#resources = resources.includes(any) ? undefined : new Set(resources);
    this.#names = resourceNames.length === 0 ? undefined : new Set(resourceNames);
  }

  matches({ group, plural, subresource, name }: RequestedResource): boolean {
    if (this.#groups?.has(group) === false) return false;
    if (this.#names?.has(name ?? '') === false) return false;
    if (this.#resources === undefined) return true;
    if (subresource === undefined || subresource === '') return this.#resources.has(plural);
    return this.#resources.has(`${plural}/${subresource}`) || this.#resources.has(`*/${subresource}`);
  }
}

type PathMatcher = (path: string) => boolean;

function fits(matchers: readonly PathMatcher[] | undefined, path: string): boolean {
  return matchers?.some((matches) => matches(path)) ?? false;
}

/** A path that ends with `*` matches all paths with that prefix. */
function pathMatcher(urls: readonly string[]): PathMatcher {
  const exact = new Set(urls);
  const prefixes = urls.filter((url) => url.endsWith(any)).map(prefixOf);
  return (path) => exact.has(path) || prefixes.some((prefix) => path.startsWith(prefix));
}

/** The prefix before a trailing `*`. */
export const prefixOf = (url: string): string => url.replace(/(?<!\*)\*+$/, '');

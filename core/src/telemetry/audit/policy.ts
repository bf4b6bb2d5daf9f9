import type { AuditedRequest } from '../../ports/audit.js';

/** How much of a request is recorded. */
export type AuditLevel = 'None' | 'Metadata' | 'Request' | 'RequestResponse';

/** The stages of a request at which it can be recorded. */
export type AuditStage = 'RequestReceived' | 'ResponseStarted' | 'ResponseComplete' | 'Panic';

/** Resources of an API group; `*` matches all, also before or after the slash of `name/part`. */
export interface PolicyResources {
  readonly group: string;
  readonly resources: readonly string[];
  readonly names: readonly string[];
}

/** What is recorded of matching requests; an empty list matches everything. */
export interface PolicyRule {
  readonly level: AuditLevel;
  readonly users: readonly string[];
  readonly groups: readonly string[];
  readonly verbs: readonly string[];
  readonly resources: readonly PolicyResources[];
  readonly namespaces: readonly string[];
  /** Paths of requests that are not about objects; a trailing `*` matches any suffix. */
  readonly paths: readonly string[];
  readonly omitStages: readonly AuditStage[];
}

export interface PolicySettings {
  /** Level of requests that match no rule. */
  readonly level: AuditLevel;
  readonly omitStages: readonly AuditStage[];
  /** The first rule that matches a request decides. */
  readonly rules: readonly PolicyRule[];
  /** Whether refused requests are recorded regardless of the rules. */
  readonly refusals: boolean;
}

/** What is recorded of one request. */
export interface Ruling {
  readonly level: AuditLevel;
  readonly received: boolean;
  readonly started: boolean;
  readonly complete: boolean;
}

/** Returns the ruling for a request; rulings are created once, so equal ones are the same object. */
export type Policy = (request: AuditedRequest) => Ruling;

type Test = (request: AuditedRequest) => boolean;

const anonymous = 'system:anonymous';
const unauthenticated: readonly string[] = ['system:unauthenticated'];

/** Compiles a policy. Requests for which `isConfidential` holds are never recorded above Metadata, regardless of the policy. */
export function compilePolicy({ rules, level, omitStages }: PolicySettings, isConfidential: Test): Policy {
  const compiled = rules.map((rule) => ({ test: all(testsOf(rule)), rulings: rulingsOf(rule.level, [...omitStages, ...rule.omitStages]) }));
  const otherwise = rulingsOf(level, omitStages);
  return (request) => {
    const { full, limited } = compiled.find(({ test }) => test(request))?.rulings ?? otherwise;
    return full !== limited && isConfidential(request) ? limited : full;
  };
}

function rulingsOf(level: AuditLevel, omitted: readonly AuditStage[]): { readonly full: Ruling; readonly limited: Ruling } {
  const stages = {
    received: !omitted.includes('RequestReceived'),
    started: !omitted.includes('ResponseStarted'),
    complete: !omitted.includes('ResponseComplete'),
  };
  const full: Ruling = { level, ...stages };
  return { full, limited: level === 'None' || level === 'Metadata' ? full : { level: 'Metadata', ...stages } };
}

function testsOf({ users, groups, verbs, namespaces, resources, paths }: PolicyRule): readonly Test[] {
  const tests: Test[] = [];
  if (users.length > 0) tests.push(oneOf(users, ({ caller }) => caller?.name ?? anonymous));
  if (groups.length > 0) {
    const set = new Set(groups);
    tests.push(({ caller }) => (caller?.groups ?? unauthenticated).some((group) => set.has(group)));
  }
  if (verbs.length > 0) tests.push(oneOf(verbs, ({ verb }) => verb));
  if (namespaces.length > 0) tests.push(oneOf(namespaces, ({ target }) => target?.namespace ?? ''));
  if (resources.length > 0 || paths.length > 0) {
    const about = [...resources.map(resourceTest), ...paths.map(pathTest)];
    tests.push((request) => about.some((test) => test(request)));
  }
  return tests;
}

function oneOf(values: readonly string[], of: (request: AuditedRequest) => string): Test {
  if (values.includes('*')) return () => true;
  const set = new Set(values);
  return (request) => set.has(of(request));
}

function resourceTest({ group, resources, names }: PolicyResources): Test {
  const forms = new Set(resources);
  const named = new Set(names);
  return ({ target }) => {
    if (target === undefined || (group !== '*' && target.kind.group !== group)) return false;
    if (named.size > 0 && (target.name === undefined || !named.has(target.name))) return false;
    const { kind, subresource } = target;
    if (forms.size === 0 || forms.has('*')) return true;
    if (subresource === undefined) return forms.has(kind.plural);
    return forms.has(`${kind.plural}/${subresource}`) || forms.has(`${kind.plural}/*`) || forms.has(`*/${subresource}`);
  };
}

function pathTest(path: string): Test {
  const start = path.endsWith('*') ? path.slice(0, -1) : undefined;
  return (request) => request.target === undefined && (start === undefined ? request.path === path : request.path.startsWith(start));
}

function all(tests: readonly Test[]): Test {
  const [only] = tests;
  if (only === undefined) return () => true;
  return tests.length === 1 ? only : (request) => tests.every((test) => test(request));
}

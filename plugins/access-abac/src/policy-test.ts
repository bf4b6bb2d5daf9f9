/** `@tappaas/access-abac/policy-test`: evaluates policies without a platform, for `tappaas policy test`. */
import type { AccessRequest } from '@tappaas/sdk';
import { PolicySet } from './policy-set.js';
import { PolicyChecker } from './policy-text.js';
import { shapeOfExpectation, shapeOfPolicy } from './policy-test-shape.js';

/** A Policy as in its manifest. */
export interface PolicyManifest {
  readonly metadata: { readonly name: string };
  /** `mode` defaults to Enforce, as on a platform. */
  readonly spec: { readonly cedar: string; readonly mode?: 'Enforce' | 'Shadow' };
}

/** A request with its expected decision. Omitted fields are empty; the default engine is the platform's. */
export interface PolicyExpectation {
  readonly name: string;
  readonly user: {
    readonly name: string;
    readonly groups?: readonly string[];
    readonly tenant?: string;
    readonly address?: string;
    readonly impersonator?: string;
  };
  readonly verb: string;
  readonly path?: string;
  readonly object?: {
    readonly engine?: string;
    readonly group?: string;
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly project?: string;
    readonly tenant?: string;
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  /** Time of the request, in ISO 8601. */
  readonly time: string;
  /** `Shadowed`: no enforced policy forbids it, but a policy in shadow mode would. */
  readonly expect: 'Forbidden' | 'NotForbidden' | 'Shadowed';
  /** Policies that must be among the reasons. */
  readonly by?: readonly string[];
}

/** The result of one expectation; without `problem` it was met. */
export interface PolicyTestResult {
  readonly name: string;
  readonly problem?: string;
}

/**
 * Evaluates policies and compares the decisions with the expected ones. A policy that cannot be evaluated forbids, as
 * on a platform; one in shadow mode forbids nothing.
 *
 * @throws TypeError naming each fault of each policy, or of each expectation
 */
export function testPolicies(policies: readonly PolicyManifest[], expectations: readonly PolicyExpectation[]): readonly PolicyTestResult[] {
  const checker = new PolicyChecker();
  const faults = policies.flatMap((policy) => {
    const shape = shapeOfPolicy(policy);
    const found = shape === undefined ? checker.faultsIn(policy.spec.cedar).map(({ message }) => message) : [shape];
    return found.map((fault) => `${policy.metadata.name}: ${fault}`);
  });
  faults.push(...expectations.flatMap((each, index) => shapeOfExpectation(each, index) ?? []));
  if (faults.length > 0) throw new TypeError(faults.join('\n'));
  const [enforced, shadowed] = [new PolicySet(), new PolicySet()];
  for (const { metadata, spec } of policies) (spec.mode === 'Shadow' ? shadowed : enforced).put(metadata.name, spec.cedar);
  return expectations.map((each) => ({ name: each.name, ...problemOf(each, enforced, shadowed) }));
}

function problemOf(expected: PolicyExpectation, enforced: PolicySet, shadowed: PolicySet): { readonly problem?: string } {
  const atMs = Date.parse(expected.time);
  if (Number.isNaN(atMs))
    return { problem: `time: expected ISO 8601 such as 2026-11-30T22:00:00Z, found ${JSON.stringify(expected.time)}` };
  const request = requestOf(expected);
  const forbidden = enforced.forbids(request, atMs);
  const { by = [], errors = [] } = forbidden ?? shadowed.forbids(request, atMs) ?? {};
  const why = [...by, ...errors].join(', ');
  const found = forbidden !== undefined ? 'Forbidden' : why === '' ? 'NotForbidden' : 'Shadowed';
  if (!meets(found, expected.expect)) return { problem: `expected ${expected.expect}, found ${found}${why === '' ? '' : ` (${why})`}` };
  const absent = (expected.by ?? []).filter((name) => !by.includes(name));
  return absent.length === 0 ? {} : { problem: `expected it to be forbidden by ${absent.join(', ')}, found ${why}` };
}

type Outcome = PolicyExpectation['expect'];

/** A request that only a policy in shadow mode would forbid counts as not forbidden. */
const meets = (found: Outcome, expected: Outcome): boolean => found === expected || (found === 'Shadowed' && expected === 'NotForbidden');

function requestOf({ user, verb, path, object }: PolicyExpectation): AccessRequest {
  const caller = { ...user, groups: user.groups ?? [] };
  if (object === undefined) return { caller, engine: 'platform', verb, path: path ?? '/' };
  const { engine = 'platform', group = '', resource, project, tenant: owner, labels, ...place } = object;
  return {
    caller,
    engine,
    verb,
    resource: { group, version: '', plural: resource, ...place },
    ...(project !== undefined && { project }),
    ...(owner !== undefined && { tenant: owner }),
    ...(labels !== undefined && { labels }),
  };
}

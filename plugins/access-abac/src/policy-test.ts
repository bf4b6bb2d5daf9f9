/** `@tappaas/access-abac/policy-test`: decisions without a platform, for `tappaas policy test`. */
import type { AccessRequest } from '@tappaas/sdk';
import { PolicySet } from './policy-set.js';
import { PolicyChecker } from './policy-text.js';

/** A Policy as its manifest says it. */
export interface PolicyManifest {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly cedar: string };
}

/** A question with the answer that is expected; what is not written is empty, and the engine is the platform's. */
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
  /** When it is asked, as ISO 8601. */
  readonly time: string;
  readonly expect: 'Forbidden' | 'NotForbidden';
  /** Policies that shall be the reason. */
  readonly by?: readonly string[];
}

/** What came of one expectation; without a problem it was met. */
export interface PolicyTestResult {
  readonly name: string;
  readonly problem?: string;
}

/**
 * Asks policies and compares with what is expected. A policy that cannot be evaluated forbids, as it does on a platform.
 *
 * @throws TypeError naming each fault of each policy
 */
export function testPolicies(policies: readonly PolicyManifest[], expectations: readonly PolicyExpectation[]): readonly PolicyTestResult[] {
  const checker = new PolicyChecker();
  const faults = policies.flatMap(({ metadata, spec }) =>
    checker.faultsIn(spec.cedar).map(({ message }) => `${metadata.name}: ${message}`),
  );
  if (faults.length > 0) throw new TypeError(faults.join('\n'));
  const set = new PolicySet();
  for (const { metadata, spec } of policies) set.put(metadata.name, spec.cedar);
  const results = expectations.map((each) => ({ name: each.name, ...problemOf(set, each) }));
  return results;
}

function problemOf(set: PolicySet, expected: PolicyExpectation): { readonly problem?: string } {
  const atMs = Date.parse(expected.time);
  if (Number.isNaN(atMs))
    return { problem: `time: expected ISO 8601 such as 2026-11-30T22:00:00Z, found ${JSON.stringify(expected.time)}` };
  const { by = [], errors = [] } = set.forbids(requestOf(expected), atMs) ?? {};
  const found = by.length + errors.length > 0 ? 'Forbidden' : 'NotForbidden';
  const why = [...by, ...errors].join(', ');
  if (found !== expected.expect) return { problem: `expected ${expected.expect}, found ${found}${why === '' ? '' : ` (${why})`}` };
  const absent = (expected.by ?? []).filter((name) => !by.includes(name));
  return absent.length === 0 ? {} : { problem: `expected it to be forbidden by ${absent.join(', ')}, found ${why}` };
}

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

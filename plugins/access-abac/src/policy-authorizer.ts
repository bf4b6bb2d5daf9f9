import type { AccessDecision, Authorizer, Clock } from '@tappaas/sdk';
import type { FollowedPolicies } from './followed-policies.js';
import type { ShadowBook } from './shadow-book.js';

export interface PolicyAuthorizerParts {
  readonly policies: FollowedPolicies;
  readonly shadows: ShadowBook;
  readonly clock: Clock;
  /** Counts what was forbidden, or would have been. */
  readonly count: (labels: { readonly policy: string; readonly mode: 'enforce' | 'shadow' }) => void;
}

const noOpinion: AccessDecision = Object.freeze({ decision: 'no-opinion', reason: '' });

/** Denies what a policy forbids, what a policy cannot be evaluated on, and everything while policies are not known; never allows. */
export function policyAuthorizer({ policies, shadows, clock, count }: PolicyAuthorizerParts): Authorizer {
  return {
    readsLabels: true,
    authorize(request) {
      const { problem } = policies;
      if (problem !== undefined) return { decision: 'deny', reason: `policies: ${problem}` };
      if (policies.enforced.size + policies.shadowed.size === 0) return noOpinion;
      const nowMs = clock.nowMs();
      const shadowed = policies.shadowed.forbids(request, nowMs);
      if (shadowed !== undefined) {
        shadows.add([...shadowed.by, ...shadowed.errors], request, nowMs);
        for (const policy of shadowed.by) count({ policy, mode: 'shadow' });
      }
      const forbidden = policies.enforced.forbids(request, nowMs);
      if (forbidden === undefined) return noOpinion;
      for (const policy of forbidden.by) count({ policy, mode: 'enforce' });
      return { decision: 'deny', reason: reasonOf(forbidden.by, forbidden.errors) };
    },
    rules: () => ({
      resourceRules: [],
      nonResourceRules: [],
      ...(policies.enforced.size > 0 && { incomplete: 'policies may forbid what is listed' }),
    }),
    subjects: () => [],
  };
}

function reasonOf(by: readonly string[], errors: readonly string[]): string {
  if (by.length > 0) return `forbidden by policy ${by.join(', ')}`;
  return `a policy could not be evaluated, so it forbids: ${errors.join('; ')}`;
}

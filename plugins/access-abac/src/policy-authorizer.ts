import type { AccessDecision, Authorizer, Clock } from '@tappaas/sdk';
import type { FollowedPolicies } from './followed-policies.js';
import type { Forbidden } from './policy-set.js';
import type { ShadowBook } from './shadow-book.js';

export interface PolicyAuthorizerParts {
  readonly policies: FollowedPolicies;
  readonly shadows: ShadowBook;
  readonly clock: Clock;
  /** Counts requests that were forbidden, or would have been in shadow mode. */
  readonly count: (labels: Denied) => void;
}

interface Denied {
  readonly policy: string;
  readonly mode: 'enforce' | 'shadow';
  readonly outcome: 'forbidden' | 'error';
}

/** Used as the policy name when no policy could be evaluated. */
const all = '(all)';

const noOpinion: AccessDecision = Object.freeze({ decision: 'no-opinion', reason: '' });

/**
 * Denies what a policy forbids, requests for which a policy cannot be evaluated, and everything while the policies are
 * unknown; never allows.
 */
export function policyAuthorizer({ policies, shadows, clock, count }: PolicyAuthorizerParts): Authorizer {
  const report = (mode: Denied['mode'], { by, failed }: Forbidden): void => {
    for (const policy of by) count({ policy, mode, outcome: 'forbidden' });
    const broken = by.length + failed.length === 0 ? [all] : failed;
    for (const policy of broken) count({ policy, mode, outcome: 'error' });
  };
  return {
    readsLabels: true,
    authorize(request) {
      const { problem } = policies;
      if (problem !== undefined) return { decision: 'deny', reason: `policies: ${problem}` };
      if (policies.enforced.size + policies.shadowed.size === 0) return noOpinion;
      const nowMs = clock.nowMs();
      const shadowed = policies.shadowed.forbids(request, nowMs);
      if (shadowed !== undefined && request.isReview !== true) {
        shadows.add(shadowed, request, nowMs);
        report('shadow', shadowed);
      }
      const forbidden = policies.enforced.forbids(request, nowMs);
      if (forbidden === undefined) return noOpinion;
      if (request.isReview !== true) report('enforce', forbidden);
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

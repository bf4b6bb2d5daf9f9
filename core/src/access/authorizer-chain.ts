import type { AccessDecision, AccessRequest, Authorizer } from '@tappaas/sdk';

const nobody: AccessDecision = { decision: 'no-opinion', reason: '' };

/** Combines authorizers: a denial of any refuses; otherwise an approval of any allows; otherwise there is no opinion. */
export function askAuthorizers(authorizers: readonly Authorizer[], request: AccessRequest): AccessDecision | Promise<AccessDecision> {
  return askFrom(authorizers, 0, request, nobody);
}

/** Stays synchronous as long as every authorizer is, because it runs for every request. */
function askFrom(
  authorizers: readonly Authorizer[],
  from: number,
  request: AccessRequest,
  before: AccessDecision,
): AccessDecision | Promise<AccessDecision> {
  let known = before;
  for (let index = from; index < authorizers.length; index += 1) {
    const authorizer = authorizers[index];
    const isHeard = request.isProjectOnly !== true || authorizer?.knowsProjects === true;
    const answer = authorizer?.authorize(request) ?? nobody;
    if (answer instanceof Promise) {
      const knownBefore = known;
      return answer.then((decision) =>
        decision.decision === 'deny'
          ? decision
          : askFrom(authorizers, index + 1, request, joined(knownBefore, isHeard ? decision : nobody)),
      );
    }
    if (answer.decision === 'deny') return answer;
    known = joined(known, isHeard ? answer : nobody);
  }
  return known;
}

/** Combines reasons: the first approval gives the reason; a refusal has the reasons of all authorizers. */
function joined(before: AccessDecision, after: AccessDecision): AccessDecision {
  if (before.decision === 'allow' || after === nobody) return before;
  if (after.decision === 'allow' || before.reason === '') return after;
  return after.reason === '' ? before : { decision: 'no-opinion', reason: `${before.reason}; ${after.reason}` };
}

import type { AccessDecision, AccessRequest, Authorizer } from '@tappaas/sdk';

const noOpinion: AccessDecision = { decision: 'no-opinion', reason: '' };

/** Combines authorizers: a denial of any refuses; otherwise an approval of any allows; otherwise there is no opinion. */
export function callAuthorizers(authorizers: readonly Authorizer[], request: AccessRequest): AccessDecision | Promise<AccessDecision> {
  return callFrom(authorizers, 0, request, noOpinion);
}

/** Stays synchronous as long as every authorizer is, because it runs for every request. */
function callFrom(
  authorizers: readonly Authorizer[],
  from: number,
  request: AccessRequest,
  before: AccessDecision,
): AccessDecision | Promise<AccessDecision> {
  let known = before;
  for (let index = from; index < authorizers.length; index += 1) {
    const authorizer = authorizers[index];
    const isCalled = request.isProjectOnly !== true || authorizer?.knowsProjects === true;
    const answer = authorizer?.authorize(request) ?? noOpinion;
    if (answer instanceof Promise) {
      const knownBefore = known;
      return answer.then((decision) =>
        decision.decision === 'deny'
          ? decision
          : callFrom(authorizers, index + 1, request, joined(knownBefore, isCalled ? decision : noOpinion)),
      );
    }
    if (answer.decision === 'deny') return answer;
    known = joined(known, isCalled ? answer : noOpinion);
  }
  return known;
}

/** Combines reasons: the first approval gives the reason; a refusal has the reasons of all authorizers. */
function joined(before: AccessDecision, after: AccessDecision): AccessDecision {
  if (before.decision === 'allow' || after === noOpinion) return before;
  if (after.decision === 'allow' || before.reason === '') return after;
  return after.reason === '' ? before : { decision: 'no-opinion', reason: `${before.reason}; ${after.reason}` };
}

import type { AccessDecision, AccessRequest, Authorizer } from '@tappaas/sdk';
import { builtInDecision } from './built-in-rules.js';
import { refusedByScope } from './credential-scope.js';

const denied: AccessDecision = { decision: 'no-opinion', reason: '' };

/**
 * The credential's scope first, then what the platform itself grants, then the authorizers of plugins in configured order: the first that
 * allows or denies decides, and what nobody allows is refused. Stays synchronous as long as every authorizer is, since it is asked for
 * every request.
 */
export function createAuthorizerChain(
  authorizers: () => readonly Authorizer[],
): (request: AccessRequest) => AccessDecision | Promise<AccessDecision> {
  return (request) => refusedByScope(request) ?? builtInDecision(request) ?? askFrom(authorizers(), 0, request, denied);
}

function askFrom(
  authorizers: readonly Authorizer[],
  from: number,
  request: AccessRequest,
  last: AccessDecision,
): AccessDecision | Promise<AccessDecision> {
  let before = last;
  for (let index = from; index < authorizers.length; index += 1) {
    const answer = authorizers[index]?.authorize(request) ?? denied;
    if (answer instanceof Promise) {
      const reasonBefore = before;
      return answer.then((decision) =>
        isFinal(decision) ? decision : askFrom(authorizers, index + 1, request, joined(reasonBefore, decision)),
      );
    }
    if (isFinal(answer)) return answer;
    before = joined(before, answer);
  }
  return before;
}

function isFinal({ decision }: AccessDecision): boolean {
  return decision !== 'no-opinion';
}

/** Whoever is refused learns what each authorizer had to say. */
function joined(before: AccessDecision, after: AccessDecision): AccessDecision {
  const reason = [before.reason, after.reason].filter((each) => each !== '').join('; ');
  return { decision: 'no-opinion', reason };
}

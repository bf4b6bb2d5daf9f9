import type { AccessDecision, AccessRequest, Authorizer } from '@tappaas/sdk';
import type { AccessQuestion, Verdict } from '../ports/access.js';
import type { AccessOptions } from './access.js';
import { callAuthorizers } from './authorizer-chain.js';
import { brokenText } from './broken-text.js';
import { DecisionCache } from './decision-cache.js';
import { isMaking } from './tenant-boundary.js';

/**
 * Makes a function that asks all authorizers, or returns their cached answer; it denies everything while a configured authorizer is not
 * running.
 */
export function cachedAuthorize({ authorizers, missing, places }: AccessOptions): (request: AccessQuestion) => Verdict | Promise<Verdict> {
  const labelled = (request: AccessRequest): AccessRequest => {
    const { engine, resource } = request;
    const labels = resource?.name === undefined || isMaking(request) ? undefined : places.labels(engine, resource);
    return labels === undefined ? request : { ...request, labels };
  };
  const authorizeUncached = (consulted: readonly Authorizer[], request: AccessRequest): AccessDecision | Promise<AccessDecision> => {
    const broken = brokenText(request);
    if (broken !== undefined) return { decision: 'deny', reason: `the ${broken} asked about is no Unicode text` };
    return callAuthorizers(consulted, consulted.some(({ readsLabels }) => readsLabels === true) ? labelled(request) : request);
  };
  const answers = new DecisionCache();
  return (request) => {
    const absent = missing();
    if (absent.length > 0) return { decision: 'deny', reason: `authorizer ${absent.join(', ')} is configured and does not run` };
    return answers.answer(authorizers(), request, authorizeUncached);
  };
}

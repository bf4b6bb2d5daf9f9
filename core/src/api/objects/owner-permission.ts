import { allowed, ask } from '../authorization.js';
import type { Exchange } from '../request/exchange.js';
import type { Authorize } from '../stages.js';

/**
 * Requires the right to delete an object from callers that change its owners, because the garbage collector deletes an object whose owners
 * are gone. Kubernetes' admission plugin for this, OwnerReferencesPermissionEnforcement, is off by default; here it is always on.
 *
 * @throws TAP_REQUEST_FORBIDDEN
 */
export async function authorizeOwners(authorize: Authorize, exchange: Exchange): Promise<void> {
  const { caller, info: requested } = exchange;
  if (requested.target === undefined) return;
  const { subresource: _, ...object } = requested.target;
  const info = { ...requested, verb: 'delete', target: object };
  const verdict = await ask(authorize, info, caller);
  if (verdict.decision === 'allow') return;
  exchange.decision = verdict;
  const why = 'it changes metadata.ownerReferences, and an object is deleted when its owners are gone';
  allowed({ ...verdict, reason: verdict.reason === '' ? why : `${verdict.reason}; ${why}` }, info, caller);
}

import { allowed, ask } from '../authorization.js';
import type { Exchange } from '../request/exchange.js';
import type { Authorize } from '../stages.js';

/**
 * Lets only those give an object other owners who may delete it, as the garbage collector deletes it when none of them is there. Kubernetes
 * has the admission plugin OwnerReferencesPermissionEnforcement for this, which is off by default; here it always holds.
 *
 * @throws TAP_REQUEST_FORBIDDEN
 */
export async function authorizeOwners(authorize: Authorize, exchange: Exchange): Promise<void> {
  const { caller, info: asked } = exchange;
  if (asked.target === undefined) return;
  const { subresource: _, ...object } = asked.target;
  const info = { ...asked, verb: 'delete', target: object };
  const verdict = await ask(authorize, info, caller);
  if (verdict.decision === 'allow') return;
  exchange.decision = verdict;
  const why = 'it changes metadata.ownerReferences, and an object is deleted when its owners are gone';
  allowed({ ...verdict, reason: verdict.reason === '' ? why : `${verdict.reason}; ${why}` }, info, caller);
}

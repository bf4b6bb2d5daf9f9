import { authorizeExchange } from '../authorization.js';
import type { Exchange } from '../request/exchange.js';
import { impersonate } from '../request/impersonation.js';
import type { Narrowing } from '../../ports/access.js';
import type { Authorize } from '../stages.js';

/**
 * Whether the stream's opener may still impersonate, still make this request, and still sees the same subset. Parts of the stream with
 * access checks of their own, such as the subscriptions of a socket, are asked to check themselves.
 *
 * @throws TAP_REQUEST_FORBIDDEN when the caller may no longer impersonate
 */
export async function isStillAllowed(authorize: Authorize, exchange: Exchange): Promise<boolean> {
  if (exchange.impersonated !== undefined) await impersonate(authorize, exchange);
  const { decision, narrowed } = await authorizeExchange(authorize, exchange);
  if (decision !== 'allow' || !isSameView(narrowed, exchange.narrowed)) return false;
  await Promise.all([...exchange.parts].map((part) => part.checkAccess()));
  return true;
}

/** A view is the same when it is narrowed by the same selectors. */
export function isSameView(one: Narrowing | undefined, other: Narrowing | undefined): boolean {
  return one?.labelSelector === other?.labelSelector && one?.fieldSelector === other?.fieldSelector;
}

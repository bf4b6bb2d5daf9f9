import type { Identity } from '@tappaas/sdk';
import { after } from '../after.js';
import type { Authenticate } from '../stages.js';

/** Maximum addresses remembered per credential; the oldest is dropped first. */
const addressesMax = 16;

/**
 * Adds the client's address to the caller; IPv4-mapped addresses become IPv4, and the zone of a link-local address is removed. The same
 * credential from the same address gives the same caller object, because other caches are keyed by it.
 */
export function withAddress(authenticate: Authenticate): Authenticate {
  const known = new WeakMap<Identity, Map<string, Identity>>();
  const cameFrom = (identity: Identity, address: string): Identity => {
    const places = known.get(identity) ?? new Map<string, Identity>();
    const before = places.get(address);
    if (before !== undefined) return before;
    const identified = { ...identity, caller: { ...identity.caller, address } };
    const oldest = places.size >= addressesMax ? places.keys().next().value : undefined;
    if (oldest !== undefined) places.delete(oldest);
    known.set(identity, places.set(address, identified));
    return identified;
  };
  return (credentials) => {
    const address = credentials.remoteAddress.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*/, '');
    const found = authenticate(credentials);
    return address === '' ? found : after(found, (identity) => identity && cameFrom(identity, address));
  };
}

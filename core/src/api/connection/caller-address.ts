import type { Identity } from '@tappaas/sdk';
import { after } from '../after.js';
import type { Authenticate } from '../stages.js';

/** Addresses that are remembered of one credential; the oldest is forgotten first. */
const addressesMax = 16;

/**
 * Tells with who it is where the connection came from; an IPv4 address is told as one, and without the zone of a local address. Who comes
 * again from the same address is the same caller: what is worked out for a caller is remembered by it.
 */
export function withAddress(authenticate: Authenticate): Authenticate {
  const known = new WeakMap<Identity, Map<string, Identity>>();
  const cameFrom = (identity: Identity, address: string): Identity => {
    const places = known.get(identity) ?? new Map<string, Identity>();
    const before = places.get(address);
    if (before !== undefined) return before;
    const told = { ...identity, caller: { ...identity.caller, address } };
    const oldest = places.size >= addressesMax ? places.keys().next().value : undefined;
    if (oldest !== undefined) places.delete(oldest);
    known.set(identity, places.set(address, told));
    return told;
  };
  return (credentials) => {
    const address = credentials.remoteAddress.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*/, '');
    const found = authenticate(credentials);
    return address === '' ? found : after(found, (identity) => identity && cameFrom(identity, address));
  };
}

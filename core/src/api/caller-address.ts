import type { Identity } from '@tappaas/sdk';
import { after } from './after.js';
import type { Authenticate } from './stages.js';

/** Tells with who it is where the connection came from; an IPv4 address is told as one, and without the zone of a local address. */
export function withAddress(authenticate: Authenticate): Authenticate {
  return (credentials) => {
    const address = credentials.remoteAddress.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*/, '');
    const found = authenticate(credentials);
    return address === '' ? found : after(found, (identity) => identity && cameFrom(identity, address));
  };
}

const cameFrom = (identity: Identity, address: string): Identity => ({ ...identity, caller: { ...identity.caller, address } });

import { BlockList, isIP, isIPv6 } from 'node:net';
import type { LookupFunction } from 'node:net';
import { lookup } from 'node:dns';
import { errors } from './errors.js';

/** Addresses where machines tell their secrets, and that no receiver has: link-local, metadata services, unspecified, multicast. */
const denied: readonly string[] = [
  '0.0.0.0/8',
  '100.100.100.200/32',
  '169.254.0.0/16',
  '192.0.0.192/32',
  '224.0.0.0/4',
  '255.255.255.255/32',
  '::/128',
  'fd00:ec2::/32',
  'fe80::/10',
  'ff00::/8',
];

/** Says whether an address may be connected to. */
export type IsAllowed = (address: string) => boolean;

/** @throws TELEMETRY_AUDIT_WEBHOOK_REFUSED for what is neither an address nor a network */
export function addressCheck(allowed: readonly string[]): IsAllowed {
  const blocked = networks(denied);
  const open = networks(allowed);
  return (address) => {
    const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
    const family = isIPv6(plain) ? 'ipv6' : 'ipv4';
    return isIP(plain) !== 0 && (open.check(plain, family) || !blocked.check(plain, family));
  };
}

/** Resolves a name as usual; an answer that is not allowed fails, at the very moment of connecting, so that no later answer slips in. */
export function checkedLookup(isAllowed: IsAllowed): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const refused = error ? undefined : addresses.find(({ address }) => !isAllowed(address));
      const [first] = addresses ?? [];
      if (error) callback(error, '', 0);
      else if (refused !== undefined || first === undefined) callback(notAllowed(refused?.address ?? hostname), '', 0);
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

export function notAllowed(address: string): Error {
  return errors.TELEMETRY_AUDIT_WEBHOOK_REFUSED({
    message: `the receiver's address ${address} is link-local, a metadata service or no host's; add it to allowedAddresses if it is meant`,
    field: 'config.url',
  });
}

function networks(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) {
    const [address = '', bits] = text.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    const prefix = bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits);
    if (isIP(address) === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > (family === 'ipv6' ? 128 : 32)) {
      throw errors.TELEMETRY_AUDIT_WEBHOOK_REFUSED({
        message: `"${text}" is neither an address nor a network`,
        field: 'config.allowedAddresses',
      });
    }
    list.addSubnet(address, prefix, family);
  }
  return list;
}

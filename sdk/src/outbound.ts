import { lookup as lookUp, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { Type } from 'typebox';

/** The addresses that outbound calls may reach. */
export interface OutboundRules {
  /** Exceptions: addresses and networks that may be reached, such as `127.0.0.1` or `10.1.0.0/16`, also embedded in IPv6 addresses. */
  readonly allowedAddresses?: readonly string[];
  /** The remote side, not an operator, named the address: this machine and private networks are refused as well. */
  readonly isForeign?: boolean;
}

/**
 * The setting `allowedAddresses` of a plugin, for {@link OutboundRules}: at most 100 addresses or networks, by default none. `subject` is
 * used in its description and names what may resolve to them, such as `the name of the receiver`.
 */
export function allowedAddresses(subject: string) {
  return Type.Array(Type.String({ pattern: '^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$', maxLength: 64 }), {
    default: [],
    maxItems: 100,
    description: `Inner addresses or networks (127.0.0.1, 10.0.0.0/8) that ${subject} may lead to after all.`,
  });
}

/** Resolves a name to all its addresses; the signature of `lookup` of `node:dns`. */
export type ResolveName = (
  name: string,
  options: { readonly all: true; readonly family?: number | 'IPv4' | 'IPv6' },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** Thrown when an outbound call would have reached a refused address. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
}

/** Metadata services of clouds, addresses that no host has, and IPv6 forms with an embedded IPv4 address that no prefix can match. */
const neverNetworks = [
  '0.0.0.0/8',
  '100.100.100.200',
  '168.63.129.16',
  '169.254.0.0/16',
  '192.0.0.192',
  '224.0.0.0/3',
  '::/96',
  '::ffff:0:0:0/96',
  '64:ff9b:1::/48',
  '2001::/32',
  '2002::/16',
  'fd00:ec2::/32',
  'fd20:ce::254',
  'fe80::/10',
  'ff00::/8',
];
const privateNetworks = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  'fc00::/7',
  'fec0::/10',
];
const never = listOf(neverNetworks);
const inner = listOf(privateNetworks);
const loopback = listOf(['127.0.0.0/8', '::1']);
const localName = /(?:^|\.)localhost\.?$/i;

/**
 * Decides where outbound calls may go, for the URL and for the addresses its host resolves to: call `check` before each call and each
 * followed redirect, and pass `lookup` to the request or its agent. The name is resolved once and the connection goes to the checked
 * address, which defeats DNS rebinding (a name that resolves differently a moment later).
 *
 * Link-local addresses, metadata services of clouds and addresses that no host has are always refused. A target named by an operator may be
 * in a private network, and on this machine if written as one of its addresses or as `localhost`, not as a name that resolves to it.
 */
export class OutboundAddresses {
  readonly #allowed: BlockList;
  readonly #isForeign: boolean;
  readonly #resolve: ResolveName;

  /** @throws TypeError naming the entry of `allowedAddresses` that is neither an address nor a network */
  constructor({ allowedAddresses = [], isForeign = false }: OutboundRules = {}, resolve: ResolveName = lookUp) {
    this.#allowed = listOf(allowedAddresses);
    this.#isForeign = isForeign;
    this.#resolve = resolve;
  }

  /** Refuses a URL whose host is a refused address, in any notation. @throws AddressRefused */
  check({ hostname }: URL): void {
    const host = hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && !this.permits(host, true)) throw new AddressRefused(`${host} ${this.#reason}`);
  }

  /** Whether an address may be reached. `isWritten`: the URL contains it, or `localhost`, and not a name that resolves to it. */
  permits(address: string, isWritten = false): boolean {
    const family = isIP(address);
    if (family === 0) return false;
    const is = (list: BlockList): boolean => list.check(address, family === 6 ? 'ipv6' : 'ipv4');
    if (is(this.#allowed)) return true;
    if (is(loopback)) return isWritten && !this.#isForeign;
    return !is(never) && !(this.#isForeign && is(inner));
  }

  /** Resolves like `dns.lookup`, and fails with {@link AddressRefused} if one of the addresses is refused. */
  readonly lookup: LookupFunction = (hostname, { all, family }, done) => {
    this.#resolve(hostname, { all: true, ...(family !== undefined && { family }) }, (error, addresses) => {
      const isWritten = localName.test(hostname);
      const refused = error === null ? addresses.find(({ address }) => !this.permits(address, isWritten)) : undefined;
      const failure = refused === undefined ? error : new AddressRefused(`${hostname} leads to ${refused.address}, which ${this.#reason}`);
      const [first] = addresses ?? [];
      if (failure !== null) done(failure, '', 0);
      else if (first === undefined) done(new Error(`${hostname} has no address`), '', 0);
      else if (all === true) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };

  get #reason(): string {
    return this.#isForeign
      ? 'is an inner address: of this machine, a private network, a metadata service or no host'
      : 'is an inner address: link-local, a metadata service, no host’s, or this machine’s under another name';
  }
}

/** Builds a list that contains IPv4 addresses as such, as ::ffff:a.b.c.d, and as 64:ff9b::a.b.c.d (RFC 6052, for IPv6 networks). */
function listOf(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) {
    const [address = '', bits, ...rest] = text.split('/');
    const family = isIP(address);
    const bitsMax = family === 6 ? 128 : 32;
    const prefix = bits === undefined ? bitsMax : /^\d{1,3}$/.test(bits) ? Number(bits) : Infinity;
    if (family === 0 || address.includes('%') || prefix > bitsMax || rest.length > 0)
      throw new TypeError(`"${text}" is neither an address nor a network`);
    list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
    if (family === 4) list.addSubnet(`64:ff9b::${address}`, 96 + prefix, 'ipv6');
  }
  return list;
}

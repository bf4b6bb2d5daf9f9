import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { LookupAddress } from 'node:dns';
import { AddressRefused, OutboundAddresses, type OutboundRules, type ResolveName } from '@tappaas/sdk/outbound';
import test from 'ava';
import { assert, constantFrom, ipV4, property } from 'fast-check';

const named = new OutboundAddresses();
const foreign = new OutboundAddresses({ isForeign: true });

function isRefused(addresses: OutboundAddresses, host: string): boolean {
  try {
    addresses.check(new URL(`https://${host}/x`));
    return false;
  } catch (error) {
    if (error instanceof AddressRefused) return true;
    throw error;
  }
}

/** A name that resolves to the next list of addresses at each lookup; the last one is repeated. */
function leadingTo(...answers: readonly (readonly string[])[]): { readonly resolve: ResolveName; lookups(): number } {
  let lookups = 0;
  const resolve: ResolveName = (_, __, done) => {
    const addresses = answers[Math.min(lookups++, answers.length - 1)] ?? [];
    done(
      null,
      addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { resolve, lookups: () => lookups };
}

const forms = (a: number, b: number, c: number, d: number): readonly string[] => {
  const number = ((a * 256 + b) * 256 + c) * 256 + d;
  const octal = (part: number) => `0${part.toString(8)}`;
  const hex = (part: number) => `0x${part.toString(16)}`;
  const dotted = `${a}.${b}.${c}.${d}`;
  return [
    dotted,
    `${dotted}.`,
    String(number),
    hex(number),
    `0${number.toString(8)}`,
    [a, b, c, d].map(octal).join('.'),
    [a, b, c, d].map(hex).join('.'),
    `${hex(a)}.${(b * 256 + c) * 256 + d}`,
    `${a}.${b}.${octal(c * 256 + d)}`,
    dotted.replaceAll('.', '%2e'),
    dotted.replaceAll('.', '。'),
    dotted.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    `[::ffff:${dotted}]`,
    `[::${dotted}]`,
    `[::ffff:0:${dotted}]`,
    `[64:ff9b::${dotted}]`,
    `[64:ff9b:1::${dotted}]`,
    `[2002:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}::1]`,
    `[0:0:0:0:0:FFFF:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}]`,
  ];
};

test('metadata services and link-local addresses are refused in every form, whoever names them', (t) => {
  for (const host of [...forms(169, 254, 169, 254), ...forms(100, 100, 100, 200), ...forms(168, 63, 129, 16), ...forms(192, 0, 0, 192)]) {
    t.true(isRefused(named, host), host);
    t.true(isRefused(foreign, host), host);
  }
  const others = ['0.0.0.0', '0', '[::]', '224.0.0.1', '255.255.255.255', '[fd00:ec2::254]', '[fd20:ce::254]', '[fe80::1]', '[ff02::1]'];
  for (const host of [...others, '[2001:0:a9fe:a9fe::]', '[2002:a9fe:a9fe::]']) t.true(isRefused(named, host), host);
});

test('what the other side names is refused on this machine and in private networks, in every form', (t) => {
  const inner = [...forms(127, 0, 0, 1), ...forms(10, 1, 2, 3), ...forms(172, 31, 0, 1), ...forms(192, 168, 0, 1), ...forms(100, 64, 0, 1)];
  for (const host of [...inner, '[::1]', '[fd12::1]', '[fec0::1]', '127.1', '198.18.0.1', '192.0.0.1'])
    t.true(isRefused(foreign, host), host);
});

test('an address out there may be reached by everybody, also through the gateway of a network of IPv6', (t) => {
  for (const host of ['93.184.216.34', '1.1.1.1', '[2606:2800:220:1::1]', '[64:ff9b::5db8:d822]', '172.32.0.1', '100.63.0.1', '11.0.0.1'])
    for (const addresses of [named, foreign]) t.false(isRefused(addresses, host), host);
});

test('an operator may name this machine and private networks as they are written', (t) => {
  for (const host of ['127.0.0.1', '[::1]', '10.1.2.3', '[fd12::1]', '192.168.0.1']) t.false(isRefused(named, host), host);
});

test('what is inner as an address of IPv4 is inner in every form of IPv6 that carries it', (t) => {
  const carriers = constantFrom('::ffff:', '64:ff9b::', '::', '::ffff:0:', '64:ff9b:1::');
  assert(
    property(ipV4(), carriers, (address, carrier) => foreign.permits(address) || !foreign.permits(carrier + address)),
    { numRuns: 5000 },
  );
  t.pass();
});

test('addresses and networks that the operator allows may be reached in all their forms, and no others', (t) => {
  const rules: OutboundRules = { allowedAddresses: ['169.254.169.254', '10.0.0.0/8', 'fd00::/8', '::1'], isForeign: true };
  const allowed = new OutboundAddresses(rules);
  for (const host of ['169.254.169.254', '[::ffff:169.254.169.254]', '[64:ff9b::169.254.169.254]', '10.9.9.9', '[fd12::1]', '[::1]'])
    t.false(isRefused(allowed, host), host);
  for (const host of ['169.254.169.253', '11.0.0.1', '127.0.0.1', '[fe80::1]']) t.is(isRefused(allowed, host), host !== '11.0.0.1', host);
  for (const text of ['here', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '::/129', '10.0.0', 'fe80::1%eth0', '10.0.0.0/-1', ''])
    t.throws(() => new OutboundAddresses({ allowedAddresses: [text] }), { message: `"${text}" is neither an address nor a network` });
});

test('a name is resolved once for a connection, which goes to the address that was looked at', async (t) => {
  const server = createServer((_, response) => void response.end('here'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  const bound = server.address();
  const port = typeof bound === 'object' && bound ? bound.port : 0;
  const resolved = (addresses: OutboundAddresses, name: string) =>
    new Promise<unknown>((resolve) => {
      const lookups = get(`http://${name}:${port}/`, { lookup: addresses.lookup, agent: false }, (answer) =>
        answer.setEncoding('utf8').on('data', resolve),
      );
      lookups.on('error', resolve);
    });

  const rebound = leadingTo(['127.0.0.1'], ['169.254.169.254']);
  const allowed = new OutboundAddresses({ allowedAddresses: ['127.0.0.1'], isForeign: true }, rebound.resolve);
  t.is(await resolved(allowed, 'rebound.invalid'), 'here');
  t.is(rebound.lookups(), 1);
  const refused = await resolved(allowed, 'rebound.invalid');
  t.true(refused instanceof AddressRefused, String(refused));
  t.is(rebound.lookups(), 2, 'the next connection is looked at again');

  const hidden = new OutboundAddresses({ isForeign: true }, leadingTo(['93.184.216.34', '127.0.0.1']).resolve);
  t.true((await resolved(hidden, 'hidden.invalid')) instanceof AddressRefused, 'an inner address behind a good one');
  const none = new OutboundAddresses({}, leadingTo([]).resolve);
  t.true((await resolved(none, 'none.invalid')) instanceof Error);
});

test('a name leads to this machine when an operator wrote localhost, and not when another name does', async (t) => {
  const to = (addresses: OutboundAddresses, name: string) =>
    new Promise<unknown>((resolve) => addresses.lookup(name, {}, (error, address) => resolve(error ?? address)));
  const local = leadingTo(['127.0.0.1']);
  for (const name of ['localhost', 'app.localhost', 'LOCALHOST.'])
    t.is(await to(new OutboundAddresses({}, local.resolve), name), '127.0.0.1');
  for (const name of ['localhost.evil.example', 'notlocalhost', 'audit.example'])
    t.true((await to(new OutboundAddresses({}, local.resolve), name)) instanceof AddressRefused, name);
  t.true((await to(new OutboundAddresses({ isForeign: true }, local.resolve), 'localhost')) instanceof AddressRefused);
});

import type { Credentials, Identity } from '@tappaas/sdk';
import test from 'ava';
import { withAddress } from '../../dist/api/connection/caller-address.js';

const from = (remoteAddress: string): Credentials => ({ headers: {}, remoteAddress });
const joe: Identity = { caller: { name: 'joe', groups: [] }, credentialId: 'x' };

test('a caller is told with the address of the connection, as one knows it', async (t) => {
  const authenticate = withAddress(() => joe);
  for (const [address, reported] of [
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['', undefined],
  ] as const)
    t.is((await authenticate(from(address)))?.caller.address, reported, address);
  t.is(await withAddress(() => undefined)(from('192.0.2.1')), undefined);
});

test('who comes again from the same address is the same caller, from however many others they come', async (t) => {
  const authenticate = withAddress(() => joe);
  const [first, other] = [await authenticate(from('192.0.2.1')), await authenticate(from('192.0.2.2'))];
  t.is(await authenticate(from('192.0.2.1')), first);
  t.not(first, other);
  for (let host = 1; host < 200; host += 1) {
    const address = `198.51.100.${host}`;
    t.is((await authenticate(from(address)))?.caller.address, address);
  }
  t.deepEqual(await authenticate(from('192.0.2.1')), first);
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { crowdedNotice, holderOf } from '../../dist/api/address-seats.js';
import { VirtualClock } from '../virtual-clock.ts';
import { startServer } from './running-server.ts';

test('one address does not take all connections: others are served, and it is again when some of its own have ended', async (t) => {
  const server = await startServer(t, { limits: { connectionsMax: 100, connectionsPerAddressMax: 40 } });
  const from = async (localAddress: string): Promise<string> => {
    const socket = connect({ port: server.port, host: '127.0.0.1', localAddress });
    t.teardown(() => socket.destroy());
    socket.on('error', () => {});
    socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    const [first] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [unknown];
    return String(first).split('\r\n')[0] ?? '';
  };
  const flood = Array.from({ length: 200 }, () => connect({ port: server.port, host: '127.0.0.1', localAddress: '127.0.0.2' }));
  for (const socket of flood) socket.on('error', () => {});
  let open = flood.length;
  await new Promise<void>((cutOff) => {
    for (const socket of flood) socket.on('close', () => (open -= 1) === 40 && cutOff());
  });
  t.is(await from('127.0.0.2'), 'false', 'cut off without an answer');
  t.is(await from('127.0.0.1'), 'HTTP/1.1 200 OK');
  const kept = flood.filter(({ destroyed }) => !destroyed);
  t.is(kept.length, 40);
  await Promise.all(kept.map((socket) => once(socket.destroy(), 'close')));
  while ((await from('127.0.0.2')) !== 'HTTP/1.1 200 OK') await delay(5);
  t.pass();
});

test('an address of IPv6 stands for its whole network, and one of IPv4 for itself in every form', (t) => {
  t.is(holderOf('::ffff:10.0.0.1'), holderOf('10.0.0.1'));
  t.not(holderOf('10.0.0.1'), holderOf('10.0.0.2'));
  for (const same of ['2001:db8::1', '2001:db8:0:0:ffff::', '2001:db8::a:b:c:d', '2001:db8:0:0::'])
    t.is(holderOf(same), '2001:db8:0:0::/64', same);
  t.is(holderOf('1::2:3:4:5:6'), '1:0:0:2::/64');
  t.is(holderOf('::1'), '0:0:0:0::/64');
  t.is(holderOf('fe80::1%eth0'), 'fe80:0:0:0::/64');
  t.not(holderOf('2001:db8:0:1::1'), holderOf('2001:db8::1'));
});

test('the log is told of a flood once a minute, with how many were cut off', async (t) => {
  const clock = new VirtualClock(0);
  const told: object[] = [];
  const log = { warn: (_: string, fields: object) => void told.push(fields) } as unknown as Parameters<typeof crowdedNotice>[2];
  const notice = crowdedNotice(40, clock, log);
  for (let count = 0; count < 1_000; count += 1) notice('10.0.0.1');
  await clock.advance(60_000);
  notice('10.0.0.2');
  t.deepEqual(told, [
    { address: '10.0.0.1', connectionsPerAddressMax: 40, cutOff: 1 },
    { address: '10.0.0.2', connectionsPerAddressMax: 40, cutOff: 1_000 },
  ]);
});

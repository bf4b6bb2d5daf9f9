import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { AddressSeats, crowdedNotice, holderOf } from '../../dist/api/connection/address-seats.js';
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

test('where places lie with several processes, those who ask for too many are cut off as soon as that is heard, and not asked for each', async (t) => {
  const clock = new VirtualClock(0);
  let [used, requested] = [0, 0];
  const answers: ((isFree: boolean) => void)[] = [];
  const places = {
    get used() {
      return used;
    },
    async obtain() {
      requested += 1;
      const isFree = await new Promise<boolean>((answer) => answers.push(answer));
      if (isFree) used += 1;
      return isFree;
    },
    give: () => void (used -= 1),
  };
  const cutOff: string[] = [];
  const seats = new AddressSeats({ placesOf: () => places, clock, crowded: (address) => cutOff.push(address) });
  const connection = () => Object.assign(new PassThrough(), { remoteAddress: '10.0.0.1' }) as unknown as Socket;
  const answer = async (isFree: boolean): Promise<void> => {
    answers.shift()?.(isFree);
    await clock.advance(1);
  };
  const [kept, gone, refused] = [connection(), connection(), connection()];
  for (const each of [kept, gone, refused]) seats.take(each);
  t.false(kept.destroyed, 'it goes on while nobody has answered');
  gone.destroy();
  await answer(true);
  await answer(true);
  t.is(used, 1, 'one that has left meanwhile keeps no place');
  await answer(false);
  t.deepEqual([kept.destroyed, refused.destroyed, cutOff], [false, true, ['10.0.0.1']]);
  for (let count = 0; count < 100; count += 1) seats.take(connection());
  t.deepEqual([requested, cutOff.length], [3, 101]);
  await clock.advance(100);
  const later = connection();
  seats.take(later);
  await answer(true);
  t.false(later.destroyed);
  kept.destroy();
  await clock.advance(1);
  t.is(used, 1);
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
  const reported: object[] = [];
  const log = { warn: (_: string, fields: object) => void reported.push(fields) } as unknown as Parameters<typeof crowdedNotice>[2];
  const notice = crowdedNotice(40, clock, log);
  for (let count = 0; count < 1_000; count += 1) notice('10.0.0.1');
  await clock.advance(60_000);
  notice('10.0.0.2');
  t.deepEqual(reported, [
    { address: '10.0.0.1', connectionsPerAddressMax: 40, cutOff: 1 },
    { address: '10.0.0.2', connectionsPerAddressMax: 40, cutOff: 1_000 },
  ]);
});

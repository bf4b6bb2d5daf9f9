import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { storeErrors } from '@tappaas/sdk';
import test from 'ava';
import { storeConformance, type MakeStore } from '../../../sdk/testing/dist/conformance/store.js';
import { VirtualClock } from '../../../sdk/testing/dist/virtual-clock.js';
import { createMemoryStore } from '../../dist/store/memory-store.js';
import type { Channel } from '../../dist/store/remote/channel.js';
import { Coalesced } from '../../dist/store/remote/coalesced.js';
import type { ToClient, ToServer } from '../../dist/store/remote/protocol.js';
import { openRemoteStore } from '../../dist/store/remote/remote-store.js';
import { serveStore } from '../../dist/store/remote/store-server.js';

/** Messages between two threads are copied as those between two processes are. */
function channelOver<Out, In>(port: MessagePort): Channel<Out, In> {
  return {
    send: (message, taken) => {
      port.postMessage(message);
      taken?.();
    },
    onMessage: (listener) => void port.on('message', listener),
    onClose: (listener) => void port.once('close', listener),
    close: () => port.close(),
  };
}

const make: MakeStore = async () => {
  const clock = new VirtualClock();
  const local = createMemoryStore({ clock });
  const { port1, port2 } = new MessageChannel();
  const server = serveStore({ store: local, channel: channelOver(port1), clock });
  const store = await openRemoteStore({ channel: channelOver(port2), clock });
  return {
    store,
    advance: (ms) => clock.advance(ms),
    dispose: async () => {
      await store.close();
      await server.close();
      await local.close();
    },
  };
};

for (const { title, run } of storeConformance(make, { durable: false })) test(title, (t) => t.notThrowsAsync(run));

async function lent(untakenBytesMax?: number) {
  const clock = new VirtualClock();
  const local = createMemoryStore({ clock });
  const { port1, port2 } = new MessageChannel();
  const taken: (() => void)[] = [];
  const channel = channelOver<ToClient, ToServer>(port1);
  const slow: typeof channel = { ...channel, send: (message, done) => channel.send(message, () => done && taken.push(done)) };
  serveStore({ store: local, channel: slow, clock, ...(untakenBytesMax !== undefined && { untakenBytesMax }) });
  const store = await openRemoteStore({ channel: channelOver(port2), clock });
  return { local, store, vanish: () => port1.close() };
}

test('a write whose store goes away before it answers has an unknown outcome, a read has none', async (t) => {
  const { store, local, vanish } = await lent();
  local.transact = () => new Promise(() => undefined);
  local.get = () => new Promise(() => undefined);
  const write = store.transact({ changes: [{ put: 'a', value: Buffer.from('1') }] });
  const read = store.get('a');
  vanish();
  await t.throwsAsync(write, { code: 'TAP_STORE_OUTCOME_UNKNOWN' });
  await t.throwsAsync(read, { code: 'TAP_STORE_UNAVAILABLE' });
  await t.throwsAsync(async () => store.currentRevision(), { code: 'TAP_STORE_UNAVAILABLE' });
  t.is(store.health().state, 'unavailable');
});

test('a watch ends with a failure, not silently, when the store goes away', async (t) => {
  const { store, vanish } = await lent();
  const watch = store.watch({ start: ' ', end: '\u{10ffff}', fromRevision: 1 });
  const reading = (async () => {
    for await (const batch of watch) t.is(batch.events.length, 0);
  })();
  vanish();
  await t.throwsAsync(reading, { code: 'TAP_STORE_UNAVAILABLE' });
});

test('a process that does not take what it is told is cut off, and the store goes on', async (t) => {
  const { store, local } = await lent(10_000);
  const value = Buffer.alloc(4_000);
  const watch = store.watch({ start: ' ', end: '\u{10ffff}', fromRevision: 1 });
  const reading = (async () => {
    for await (const batch of watch) t.true(batch.revision <= 3);
  })();
  for (const key of ['a', 'b', 'c', 'd']) await local.transact({ changes: [{ put: key, value }] });
  await t.throwsAsync(reading, { code: 'TAP_STORE_UNAVAILABLE' });
  t.is((await local.get('d'))?.modRevision, 4);
});

test('a store that is gone ends what lends it at once, although the other side hears of it later', async (t) => {
  const clock = new VirtualClock();
  const local = createMemoryStore({ clock });
  let requested = 0;
  local.currentRevision = async () => {
    requested += 1;
    // Without this bound a loop that never lets the other side be heard would end the test by never ending.
    if (requested > 100) await new Promise((turn) => setImmediate(turn));
    throw storeErrors.TAP_STORE_UNAVAILABLE({ message: 'gone' });
  };
  let closed = 0;
  const channel: Channel<ToClient, ToServer> = { send: () => {}, onMessage: () => {}, onClose: () => {}, close: () => void (closed += 1) };
  const server = serveStore({ store: local, channel, clock });
  await new Promise((turn) => setImmediate(turn));
  await server.close();
  t.is(requested, 1);
  t.is(closed, 1);
});

test('who asks for the newest revision while an answer is under way gets one that was found after they asked', async (t) => {
  const answers: PromiseWithResolvers<number>[] = [];
  const newest = new Coalesced(() => {
    const answer = Promise.withResolvers<number>();
    answers.push(answer);
    return answer.promise;
  });
  const first = newest.ask();
  const later = [newest.ask(), newest.ask()];
  answers[0]?.resolve(1);
  t.is(await first, 1);
  answers[1]?.resolve(2);
  t.deepEqual(await Promise.all(later), [2, 2]);
  t.is(answers.length, 2);
});

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import test from 'ava';
import { VirtualClock } from '../virtual-clock.ts';
import { createState } from '../../dist/kernel/lifecycle/instance-state.js';
import { memoryState } from '../../dist/kernel/lifecycle/shared-state.js';
import type { PrimaryCalls, WorkerCalls } from '../../dist/platform/workers/calls.js';
import { OpenBreakers, openBreakersOf } from '../../dist/platform/workers/open-breakers.js';
import { connectPeer, type PeerChannel } from '../../dist/platform/workers/peer.js';
import { remoteState, stateAnswerMsMax } from '../../dist/platform/workers/remote-state.js';

/** Messages between two threads are copied as those between two processes are. */
function channelOver(port: MessagePort): PeerChannel {
  return {
    send: (message) => port.postMessage(message),
    onMessage: (listener) => void port.on('message', listener),
    onClose: (listener) => void port.once('close', listener),
    close: () => port.close(),
  };
}

type StateCalls = Pick<PrimaryCalls, 'stateGet' | 'stateSet' | 'stateDelete'>;

function workerOf(own: StateCalls) {
  const clock = new VirtualClock();
  const { port1, port2 } = new MessageChannel();
  connectPeer<StateCalls, WorkerCalls>({ channel: channelOver(port1), own, clock });
  const primary = connectPeer<Pick<WorkerCalls, 'metrics'>, PrimaryCalls>({
    channel: channelOver(port2),
    own: { metrics: async () => '' },
    clock,
  });
  return { clock, state: createState('mine', clock, remoteState(primary)), vanish: () => port1.close() };
}

const platform = { ttlMs: 10_000, scope: 'platform' } as const;

test('workers keep one state for the platform, in the memory of its process', async (t) => {
  const kept = memoryState(new VirtualClock());
  const own = { stateGet: kept.get, stateSet: kept.set, stateDelete: kept.delete };
  const [one, other] = [workerOf(own), workerOf(own)];
  await one.state.set('key', { n: 1 }, platform);
  t.deepEqual(await other.state.get('key'), { n: 1 });
  await other.state.delete('key');
  t.is(await one.state.get('key'), undefined);
  one.vanish();
  other.vanish();
});

test('when the process that keeps it does not answer, operations fail within their time, and what is a replica’s goes on', async (t) => {
  const silent = (): Promise<never> => new Promise(() => undefined);
  const { state, clock, vanish } = workerOf({ stateGet: silent, stateSet: silent, stateDelete: silent });
  await state.set('own', 1, { ttlMs: 10_000, scope: 'replica' });
  const requested = [state.get('key'), state.set('key', 1, platform), state.delete('key')].map((each) =>
    t.throwsAsync(each, { code: 'TAP_PROCESS_FAILED', message: new RegExp(`was not answered within ${stateAnswerMsMax} ms`) }),
  );
  await clock.advance(1);
  await clock.advance(stateAnswerMsMax);
  await Promise.all(requested);
  t.is(await state.get('own'), 1);
  const cut = t.throwsAsync(state.get('key'), { code: 'TAP_PROCESS_FAILED', message: /has gone/ });
  vanish();
  await cut;
});

test('a call that cannot be sent fails at once, and nothing of it fails later', async (t) => {
  const { port1, port2 } = new MessageChannel();
  const clock = new VirtualClock();
  const peer = connectPeer<StateCalls, PrimaryCalls>({ channel: channelOver(port2), own: {} as StateCalls, clock });
  const noData = (() => 1) as never;
  await t.throwsAsync(peer.callWithin(1_000, 'stateSet', 'mine', 'key', noData, 1), { name: 'DataCloneError' });
  let failedLater = false;
  const received = (): void => void (failedLater = true);
  process.once('unhandledRejection', received);
  await clock.advance(2_000);
  await new Promise((turn) => setImmediate(turn));
  process.off('unhandledRejection', received);
  t.false(failedLater);
  port1.close();
});

test('breakers that are open are known by hook and process, until the process closes them or ends', (t) => {
  const breakers = new OpenBreakers();
  const open = openBreakersOf([
    {
      id: 'guard',
      breakers: [
        { hook: 'admission.validate', state: 'open', failures: 5 },
        { hook: 'telemetry.log', state: 'half-open', failures: 5 },
      ],
    },
    { id: 'other', breakers: [{ hook: 'admission.validate', state: 'closed', failures: 1 }] },
  ]);
  t.true(breakers.set('w2', open));
  t.false(breakers.set('w2', open), 'that is no news');
  breakers.set('w1', [...open, { plugin: 'guard', hook: 'admission.mutate' }]);
  t.deepEqual(breakers.of('guard'), [
    { hook: 'admission.mutate', processes: ['w1'] },
    { hook: 'admission.validate', processes: ['w1', 'w2'] },
  ]);
  t.deepEqual(breakers.of('other'), []);
  t.true(breakers.set('w1', []));
  t.deepEqual(breakers.of('guard'), [{ hook: 'admission.validate', processes: ['w2'] }]);
});

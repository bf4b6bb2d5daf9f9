import test from 'ava';
import { createFlow } from '../../dist/flow/flow.js';
import { defaultFlowSettings, type FlowSettings } from '../../dist/flow/flow-settings.js';
import type { Seat } from '../../dist/flow/priority-level.js';
import { heavyUnits, unitsOf } from '../../dist/flow/work.js';
import { VirtualClock } from '../virtual-clock.ts';
import { sharedFlow } from './shared-flow.ts';

const never = new AbortController().signal;
const heavy = { keys: 20_000 };
const acme = { name: 'ann', groups: [], tenant: 'acme' };
const rival = { name: 'bob', groups: [], tenant: 'rival' };

function start(changed: Partial<FlowSettings> = {}) {
  const clock = new VirtualClock();
  const flow = createFlow({ settings: { ...defaultFlowSettings, ...changed }, clock });
  return { clock, ask: async (caller: typeof acme, signal = never) => flow({ caller, stream: false, signal }) };
}

/** What has resolved by now. */
async function isOver(promise: Promise<unknown> | undefined): Promise<boolean> {
  let over = promise === undefined;
  void promise?.then(
    () => (over = true),
    () => (over = true),
  );
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  return over;
}

const left = (seat: Seat): number => Number(/r=(-?\d+)/.exec(seat.headers?.['RateLimit'] ?? '')?.[1]);

test('a request costs by its bytes and keys, and what most requests have is free', (t) => {
  t.is(unitsOf({ bytes: 10_000, keys: 40 }), 0);
  t.is(unitsOf({ keys: 20_000 }), 400);
  t.is(unitsOf({ bytes: 1024 * 1024 }), 64);
  t.is(unitsOf({ bytes: 256 * 1024, yamlBytes: 256 * 1024 }), 528, 'YAML takes much longer to read');
});

test('who writes what is large pays for it, and more than there was is owed before anything else is served', async (t) => {
  const { ask, clock } = start({ tenant: { perSecond: 100, burst: 450 }, waitMsMax: 10_000 });
  const seat = await ask(acme);
  await seat.weigh?.(heavy);
  seat.release();
  const next = await ask(acme);
  t.is(left(next), 48);
  await next.weigh?.(heavy);
  next.release();
  // 352 units are owed, and come back in 3.5 s.
  const waiting = ask(acme);
  await clock.advance(3500);
  t.false(await isOver(waiting));
  await clock.advance(50);
  t.true(await isOver(waiting));
  t.is(left(await ask(rival)), 449, 'nobody else pays');
});

test('a principal whose overdraft exceeds the longest wait is refused with the time to retry', async (t) => {
  const { ask } = start({ tenant: { perSecond: 10, burst: 10 } });
  const seat = await ask(acme);
  await seat.weigh?.(heavy);
  await t.throwsAsync(ask(acme), { code: 'TAP_FLOW_FULL', message: /asked for more than its rate/ });
});

test('one heavy request is worked on at a time; tenants take turns with theirs, and others pass by', async (t) => {
  const { ask } = start();
  const order: string[] = [];
  const write = async (caller: typeof acme): Promise<{ readonly seat: Seat; readonly weighed: Promise<unknown> }> => {
    const seat = await ask(caller);
    const weighed = Promise.resolve(seat.weigh?.(heavy)).then(() => order.push(caller.tenant));
    return { seat, weighed };
  };
  const first = await write(acme);
  const second = await write(acme);
  const third = await write(acme);
  const other = await write(rival);
  await first.weighed;
  t.false(await isOver(other.weighed));
  const light = await ask(acme);
  t.is(light.weigh?.({ keys: (heavyUnits - 1) * 50 }), undefined, 'what is light waits for nothing');
  first.seat.release();
  await other.weighed;
  t.deepEqual(order, ['acme', 'rival'], 'the tenant that has had less goes before');
  other.seat.release();
  await second.weighed;
  second.seat.release();
  await third.weighed;
});

test('a heavy request is one however often it is weighed, and leaves nothing behind when its client goes', async (t) => {
  const { ask } = start();
  const first = await ask(acme);
  await first.weigh?.({ bytes: 1024 * 1024 });
  t.is(first.weigh?.(heavy), undefined);
  const gone = new AbortController();
  const second = await ask(acme, gone.signal);
  const waiting = t.throwsAsync(Promise.resolve(second.weigh?.(heavy)), { message: 'gone' });
  gone.abort(new Error('gone'));
  await waiting;
  second.release();
  first.release();
  const third = await ask(rival);
  await third.weigh?.(heavy);
});

test('so many heavy requests wait and no more, since each holds its body', async (t) => {
  const { ask } = start();
  const held = await ask(acme);
  await held.weigh?.(heavy);
  for (let index = 0; index < 16; index += 1) void (await ask(acme)).weigh?.(heavy);
  const seat = await ask(acme);
  t.throws(() => seat.weigh?.(heavy), { code: 'TAP_FLOW_FULL', message: /heavy tenants level.*16 of its requests are waiting/ });
});

test('what is owed in one of several processes is paid from what they have together', async (t) => {
  const settings = { ...defaultFlowSettings, tenant: { perSecond: 100, burst: 800 }, user: { perSecond: 10_000, burst: 10_000 } };
  const { clock, processes } = sharedFlow(settings, 2);
  const [first, second] = processes;
  if (first === undefined || second === undefined) throw new Error('two processes were asked for');
  const admitted: number[] = [];
  const write = async (): Promise<void> => {
    const seat = await first.ask(acme);
    await seat.weigh?.(heavy);
    admitted.push(clock.nowMs());
    seat.release();
  };
  const startMs = clock.nowMs();
  const writes = Promise.allSettled([write(), write(), write(), write()]);
  await clock.advance(20_000);
  await writes;
  // 401 units each, of 900 at once and 100 a second: the first three within the debt that one may have, the fourth when that is paid.
  t.true((admitted[2] ?? 0) - startMs < 2_000, `${(admitted[2] ?? 0) - startMs} ms`);
  t.true(admitted[3] === undefined || admitted[3] - startMs > 2_000);
  await clock.advance(20_000);
  const seat = await second.ask(acme);
  t.true(left(seat) > 700, 'nothing is paid twice');
});

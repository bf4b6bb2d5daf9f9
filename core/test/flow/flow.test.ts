import test from 'ava';
import * as fc from 'fast-check';
import { createFlow, type FlowOptions } from '../../dist/flow/flow.js';
import type { FlowSettings } from '../../dist/flow/flow-settings.js';
import { VirtualClock } from '../virtual-clock.ts';

const settings: FlowSettings = {
  tenant: { perSecond: 10, burst: 20 },
  user: { perSecond: 1000, burst: 1000 },
  system: { perSecond: 1000, burst: 1000 },
  requestsMax: 4,
  requestsPerPrincipalMax: 3,
  heavyRequestsMax: 1,
  queuedMax: 6,
  queuedPerPrincipalMax: 4,
  waitMsMax: 1000,
  streamsMax: 2,
  streamsPerPrincipalMax: 1,
};
const never = new AbortController().signal;

function start(changed: Partial<FlowSettings> = {}, more: Partial<FlowOptions> = {}) {
  const clock = new VirtualClock();
  const flow = createFlow({ settings: { ...settings, ...changed }, clock, ...more });
  const callers = new Map<string, { name: string; groups: string[]; tenant?: string }>();
  const ask = (
    name: string,
    { stream = false, signal = never, ...extra }: { stream?: boolean; signal?: AbortSignal; tenant?: string; groups?: string[] } = {},
  ) => {
    const key = JSON.stringify([name, extra]);
    const caller = callers.get(key) ?? { name, groups: [], ...extra };
    callers.set(key, caller);
    return flow({ caller, stream, signal });
  };
  return { clock, ask };
}

test('who finds a seat has it at once; others wait for their turn and get it when one is given back', async (t) => {
  const { ask } = start();
  const seats = [ask('joe'), ask('joe'), ask('joe')];
  t.true(seats.every((seat) => !(seat instanceof Promise)));
  const waiting = ask('joe');
  t.true(waiting instanceof Promise);
  (await seats[0])?.release();
  (await seats[0])?.release();
  await waiting;
  t.true(ask('joe') instanceof Promise);
});

test('as many wait as may, the next is refused with what to do and what is left', async (t) => {
  const { ask } = start();
  for (let index = 0; index < 3; index += 1) await ask('joe');
  for (let index = 0; index < 4; index += 1) void ask('joe');
  const error = t.throws(() => ask('joe'), { code: 'TAP_FLOW_FULL', message: /user joe .*tenants level.*4 of its requests are waiting/ });
  t.like(error, { retryAfterMs: 1000, data: { 'RateLimit-Policy': '"user";q=1000;w=1' } });
  await ask('ann');
  void ask('ann');
  void ask('bob');
  t.throws(() => ask('eve'), { message: /6 requests are waiting/ });
});

test('who has waited too long is refused, and who leaves waits no longer', async (t) => {
  const { ask, clock } = start();
  for (let index = 0; index < 3; index += 1) await ask('joe');
  const late = t.throwsAsync(Promise.resolve(ask('joe')), { code: 'TAP_FLOW_FULL', message: /waited for 1000 ms/ });
  const gone = new AbortController();
  const leaving = t.throwsAsync(Promise.resolve(ask('joe', { signal: gone.signal })), { message: 'gone' });
  gone.abort(new Error('gone'));
  await leaving;
  await clock.advance(1010);
  await late;
  t.is(clock.sleeping, 0);
});

test('a tenant that asks faster than its rate is slowed down to it, and refused when it would wait too long', async (t) => {
  const { ask, clock } = start({ requestsMax: 100, requestsPerPrincipalMax: 100, queuedPerPrincipalMax: 50, queuedMax: 50 });
  const admitted: number[] = [];
  let refused = 0;
  const startMs = clock.nowMs();
  for (let index = 0; index < 40; index += 1) {
    try {
      void Promise.resolve(ask(`u${index % 2}`, { tenant: 'acme' })).then((seat) => {
        seat.release();
        admitted.push(clock.nowMs() - startMs);
      });
    } catch (error) {
      refused += 1;
      t.true((error as { retryAfterMs: number }).retryAfterMs > 1000);
    }
  }
  await clock.advance(2000);
  t.is(admitted.length, 30);
  t.is(refused, 10);
  t.is(admitted.filter((ms) => ms === 0).length, 20);
  t.true(Math.abs((admitted.at(-1) ?? 0) - 1000) <= 10);
});

test('two tenants have each its own rate, seats, line and streams, also for users of the same name', async (t) => {
  const { clock, ask } = start({ requestsMax: 10, requestsPerPrincipalMax: 1, streamsMax: 10 });
  const flood = async (): Promise<void> => (await ask('sam', { tenant: 'acme' })).release();
  const held = await ask('sam', { tenant: 'acme' });
  const flooding = Array.from({ length: 30 }, () => flood().catch(() => {}));
  const other = ask('sam', { tenant: 'rival' });
  t.false(other instanceof Promise, 'it waits for nobody');
  (await other).release();
  held.release();
  await clock.advance(10);
  await Promise.all(flooding);
  const untouched = await ask('sam', { tenant: 'rival' });
  t.regex(untouched.headers?.['RateLimit'] ?? '', /"tenant";r=1[89]/);
  untouched.release();
  await ask('sam', { tenant: 'rival', stream: true });
  await t.notThrowsAsync(async () => ask('sam', { tenant: 'third', stream: true }));
  t.false(ask('tenant acme') instanceof Promise, 'nor is a user without a tenant who is called like one');
});

test('users of one tenant share its seats and take turns', async (t) => {
  const { ask } = start({ requestsPerPrincipalMax: 1, queuedPerPrincipalMax: 10, queuedMax: 10 });
  const first = await ask('ann', { tenant: 'acme' });
  const order: string[] = [];
  const queue = (name: string): void =>
    void Promise.resolve(ask(name, { tenant: 'acme' })).then((seat) => (order.push(name), seat.release()));
  for (let index = 0; index < 3; index += 1) queue('ann');
  queue('bob');
  first.release();
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  t.deepEqual(order, ['ann', 'bob', 'ann', 'ann']);
});

const many = { perSecond: 1e6, burst: 1e6 };
/** How many of a user's requests, one after another, are served while another of its tenant has this many open, and asks again at once. */
async function besideFlood(changed: Partial<FlowSettings>, open: number): Promise<{ served: number; refused: number; flooded: number }> {
  const { ask, clock } = start({ requestsMax: 100, requestsPerPrincipalMax: 8, queuedMax: 100, queuedPerPrincipalMax: 10, ...changed });
  const over = new AbortController();
  const reported = { served: 0, refused: 0, flooded: 0 };
  const work = async (name: string, count: () => void): Promise<void> => {
    const seat = await ask(name, { tenant: 'acme' });
    await clock.sleep(2, never);
    seat.release();
    count();
  };
  const flood = async (): Promise<void> => {
    while (!over.signal.aborted) await work('ann', () => (reported.flooded += 1)).catch(() => clock.sleep(20, never));
  };
  for (let index = 0; index < open; index += 1) void flood();
  await clock.advance(2000);
  void (async () => {
    for (let index = 0; index < 20; index += 1) {
      await work('bob', () => (reported.served += 1)).catch(() => (reported.refused += 1));
      await clock.sleep(100, never);
    }
  })();
  for (let step = 0; step < 200 && reported.served + reported.refused < 20; step += 1) await clock.advance(500);
  over.abort();
  await clock.advance(2000);
  return reported;
}

test('a user who has more open than may wait shuts out nobody of the same tenant, whatever it is that it has too much of', async (t) => {
  const cases: Readonly<Record<string, Partial<FlowSettings>>> = {
    'its own rate': { tenant: many, user: { perSecond: 50, burst: 50 } },
    'the rate of the tenant': { tenant: { perSecond: 10, burst: 10 }, user: many, queuedPerPrincipalMax: 50 },
    'the line of the tenant, at the rate of the tenant': { tenant: { perSecond: 100, burst: 10 }, user: many },
    'the seats of the tenant': { tenant: many, user: many, requestsPerPrincipalMax: 1 },
    'the whole level': { tenant: many, user: many, requestsMax: 1, queuedMax: 10, queuedPerPrincipalMax: 100 },
  };
  for (const [what, changed] of Object.entries(cases)) {
    const { served, refused, flooded } = await besideFlood(changed, 60);
    t.deepEqual({ served, refused }, { served: 20, refused: 0 }, what);
    t.true(flooded > 50, `${what}: ${flooded} of the other`);
  }
});

test('whoever has most waiting gives way to a user who has less, and no further than to as many', async (t) => {
  const { ask, clock } = start({ tenant: many, user: { perSecond: 10, burst: 1 }, queuedPerPrincipalMax: 4, waitMsMax: 10_000 });
  const seat = await ask('ann', { tenant: 'acme' });
  t.teardown(() => seat.release());
  const refused: string[] = [];
  const wait = (name: string): void =>
    void Promise.resolve(ask(name, { tenant: 'acme' })).then(
      (given) => given.release(),
      (error: Error) => refused.push(`${name}: ${error.message}`),
    );
  for (let index = 0; index < 4; index += 1) wait('ann');
  t.throws(() => ask('ann', { tenant: 'acme' }), { message: /4 of its requests are waiting/ });
  wait('bob');
  await clock.advance(0);
  t.is(refused.length, 1);
  t.regex(refused[0] ?? '', /^ann: .*4 of its requests are waiting already, and of others of it fewer/);
  for (const name of ['eve', 'joe']) wait(name);
  t.throws(() => ask('eve', { tenant: 'acme' }), { message: /4 of its requests are waiting/ });
  await clock.advance(1000);
  t.deepEqual(
    refused.map((each) => each.split(':')[0]),
    ['ann', 'ann', 'ann'],
  );
});

test('who has asked for more than its own rate is refused, and nobody gives way', async (t) => {
  const { ask } = start({ tenant: many, user: { perSecond: 2, burst: 1 }, queuedPerPrincipalMax: 10, queuedMax: 10 });
  await ask('ann', { tenant: 'acme' });
  for (let index = 0; index < 2; index += 1) void ask('ann', { tenant: 'acme' });
  t.throws(() => ask('ann', { tenant: 'acme' }), { message: /more than its rate/ });
});

test('a tenant has its own rate when its object says so, from the next second on', async (t) => {
  let perSecond = 10;
  const { ask, clock } = start({}, { rateOf: (tenant) => (tenant === 'acme' ? { perSecond, burst: 5 } : undefined) });
  const seat = await ask('ann', { tenant: 'acme' });
  t.deepEqual(seat.headers, { 'RateLimit-Policy': '"tenant";q=5;w=1, "user";q=1000;w=1', RateLimit: '"tenant";r=4;t=1, "user";r=999;t=1' });
  perSecond = 1;
  await clock.advance(1000);
  for (const name of ['new', 'ann'])
    t.is((await ask(name, { tenant: 'acme' })).headers?.['RateLimit-Policy'], '"tenant";q=5;w=5, "user";q=1000;w=1', name);
  t.is((await ask('eve', { tenant: 'other' })).headers?.['RateLimit-Policy'], '"tenant";q=20;w=2, "user";q=1000;w=1');
});

test('administrators have seats of their own, and processes of engines are never asked to wait', async (t) => {
  const { ask } = start({ requestsMax: 2 });
  await ask('a');
  await ask('b');
  t.true(ask('c') instanceof Promise);
  t.false(ask('root', { groups: ['system:masters'] }) instanceof Promise);
  for (let index = 0; index < 100; index += 1) t.false(ask('agent', { groups: ['system:engine:local'], stream: true }) instanceof Promise);
});

test('streams are counted apart, and opening one is a request like any other', async (t) => {
  const { ask } = start();
  const stream = await ask('joe', { stream: true });
  t.like(stream.headers, { RateLimit: '"user";r=999;t=1' });
  t.throws(() => ask('joe', { stream: true }), { message: /user joe has 1 streams running, at most 1/ });
  await ask('ann', { stream: true });
  t.throws(() => ask('bob', { stream: true }), { message: /2 streams are running/ });
  stream.release();
  stream.release();
  await ask('joe', { stream: true });
  t.throws(() => ask('ann', { stream: true }), { code: 'TAP_FLOW_FULL' });
});

test('a tenant at fifty times its share makes another wait for at most one more request', async (t) => {
  const serviceMs = 10;
  /** How long each request of the victim takes from asking to its end, beside so many at a time of another tenant. */
  const times = async (flood: number): Promise<number[]> => {
    const { ask, clock } = start({
      tenant: many,
      user: many,
      requestsMax: 1,
      requestsPerPrincipalMax: 1,
      queuedMax: 100,
      queuedPerPrincipalMax: 100,
    });
    const over = new AbortController();
    const loop = async (tenant: string, took: (ms: number) => void): Promise<void> => {
      while (!over.signal.aborted) {
        const sinceMs = clock.nowMs();
        const seat = await ask(tenant, { tenant });
        await clock.sleep(serviceMs, never);
        seat.release();
        took(clock.nowMs() - sinceMs);
      }
    };
    const mine: number[] = [];
    for (let index = 0; index < flood; index += 1) void loop('loud', () => {});
    void loop('quiet', (ms) => mine.push(ms));
    await clock.advance(4000);
    over.abort();
    await clock.advance(2000);
    return mine.toSorted((a, b) => a - b);
  };
  const [alone, beside] = [await times(0), await times(50)];
  const p99 = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length * 0.99)] ?? Infinity;
  t.is(p99(alone), serviceMs);
  t.true(p99(beside) <= 2 * serviceMs, `${p99(beside)} ms`);
  t.true(beside.length >= alone.length / 2 - 1);
});

test('whatever is asked, given back and left in whatever order, no bound is passed, nobody is lost and every seat comes back', async (t) => {
  const step = fc.record({
    user: fc.constantFrom('a', 'b', 'c'),
    tenant: fc.constantFrom(undefined, 'x', 'y'),
    what: fc.nat(5),
    pick: fc.nat(9),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const { ask, clock } = start({ tenant: many, user: many, waitMsMax: 1_000_000 });
      const held: { principal: string; release(): void }[] = [];
      const waiting = new Set<string>();
      let settled = 0;
      let accepted = 0;
      for (const [index, { user, tenant, what, pick }] of steps.entries()) {
        const principal = tenant ?? user;
        if (what === 0) held.splice(pick % Math.max(1, held.length), 1)[0]?.release();
        else {
          try {
            const key = `${principal} ${index}`;
            waiting.add(key);
            accepted += 1;
            void Promise.resolve(ask(user, tenant === undefined ? {} : { tenant })).then(
              (seat) => {
                waiting.delete(key);
                settled += 1;
                held.push({ principal, release: () => seat.release() });
              },
              () => {
                // Another user of the tenant has less waiting.
                waiting.delete(key);
                settled += 1;
              },
            );
          } catch {
            waiting.delete(`${principal} ${index}`);
            accepted -= 1;
          }
        }
        await clock.advance(0);
        if (held.length > settings.requestsMax || waiting.size > settings.queuedMax) return false;
        for (const each of held)
          if (held.filter((other) => other.principal === each.principal).length > settings.requestsPerPrincipalMax) return false;
      }
      while (held.length > 0) {
        held.pop()?.release();
        await clock.advance(10);
      }
      return settled === accepted && waiting.size === 0;
    }),
    { numRuns: 60 },
  );
  t.pass();
});

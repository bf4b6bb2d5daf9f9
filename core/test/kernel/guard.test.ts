import { AsyncLocalStorage } from 'node:async_hooks';
import { defineErrors, definePlugin, defineService, hooks, type Context, type Plugin } from '@tappaas/sdk';
import { Application } from '@tappaas/sdk/kinds';
import test from 'ava';
import { TimerWheel, type WheelEntry } from '../../dist/kernel/guard/timer-wheel.js';
import { Breaker } from '../../dist/kernel/guard/breaker.js';
import { settled, VirtualClock } from '../virtual-clock.ts';
import { metric, only, request, selector, start } from './fixture.ts';

const { validate } = hooks.admission;
const kinds = [Application] as const;
type Gate = (context: Context) => void | Promise<void>;

const gate = (id: string, run: Gate, timeoutMs?: number): { readonly id: string; readonly plugin: Plugin } => ({
  id,
  plugin: definePlugin({
    id,
    setup: (host) =>
      host.tap(validate, { kinds, ...(timeoutMs === undefined ? {} : { timeoutMs }) }, (_, context) => run(context) as Promise<undefined>),
  }),
});

const never = (): Promise<void> => new Promise(() => {});

class Entry implements WheelEntry {
  dueTick = -1;
  previous: WheelEntry | undefined = undefined;
  next: WheelEntry | undefined = undefined;
  readonly expire: () => void;

  constructor(expire: () => void) {
    this.expire = expire;
  }
}

test('the wheel expires entries at their time, never earlier, and not those that left', async (t) => {
  const clock = new VirtualClock();
  const wheel = new TimerWheel(clock);
  const startMs = clock.nowMs();
  const expired: [number, number][] = [];
  const delays = [1, 9, 10, 11, 95, 100, 5120, 5121, 7000, 60_000];
  for (const delay of delays) wheel.insert(new Entry(() => expired.push([delay, clock.nowMs() - startMs])), delay);
  const gone = new Entry(() => t.fail('it had left'));
  wheel.insert(gone, 50);
  wheel.remove(gone);
  wheel.remove(gone);
  await clock.advance(70_000);
  t.deepEqual(
    expired.map(([delay]) => delay).toSorted((a, b) => a - b),
    delays,
  );
  for (const [delay, atMs] of expired) t.true(atMs >= delay && atMs <= delay + 10, `${delay} expired at ${atMs}`);
  t.is(wheel.size, 0);
  t.is(clock.sleeping, 0);
});

test('an entry that is entered while others sleep longer wakes the wheel earlier', async (t) => {
  const clock = new VirtualClock();
  const wheel = new TimerWheel(clock);
  const expired: string[] = [];
  wheel.insert(new Entry(() => expired.push('late')), 1000);
  wheel.insert(new Entry(() => expired.push('early')), 20);
  await clock.advance(30);
  t.deepEqual(expired, ['early']);
  const again = new Entry(() => expired.push('again'));
  wheel.insert(new Entry(() => wheel.insert(again, 40)), 10);
  await clock.advance(100);
  t.deepEqual(expired, ['early', 'again']);
  wheel.close();
  await clock.advance(2000);
  t.deepEqual(expired, ['early', 'again']);
});

test('time during which the event loop was blocked does not count against those who waited', async (t) => {
  const clock = new VirtualClock();
  const wheel = new TimerWheel(clock);
  const expired: number[] = [];
  wheel.insert(new Entry(() => expired.push(clock.nowMs())), 1000);
  await settled();
  await clock.freeze(5000);
  t.deepEqual(expired, []);
  await clock.advance(100);
  t.is(expired.length, 1);
});

test('the breaker opens at the fifth failure in 30 s, lets one call through after 60 s, and that call decides', (t) => {
  const clock = { now: 0, nowMs: () => clock.now, sleep: never };
  const states: string[] = [];
  const breaker = new Breaker(clock, (state) => states.push(state));
  for (const atMs of [0, 10_000, 20_000, 30_000]) {
    clock.now = atMs;
    breaker.failed();
  }
  clock.now = 30_001;
  breaker.failed();
  t.is(breaker.state, 'closed', 'the first failure was more than 30 s ago');
  breaker.failed();
  t.is(breaker.state, 'open');
  t.false(breaker.admits());
  clock.now += 59_999;
  t.false(breaker.admits());
  clock.now += 1;
  t.true(breaker.admits());
  t.false(breaker.admits(), 'only one call is tried');
  breaker.failed();
  t.is(breaker.state, 'open');
  clock.now += 60_000;
  t.true(breaker.admits());
  breaker.succeeded();
  t.is(breaker.state, 'closed');
  t.is(breaker.failures, 0);
  t.deepEqual(states, ['open', 'half-open', 'open', 'half-open', 'closed']);
});

test('what one tenant runs into opens no breaker however often, and what several run into, or nobody’s, does', (t) => {
  const clock = { now: 0, nowMs: () => clock.now, sleep: never };
  const failing = (...tenants: (string | undefined)[]) => {
    const breaker = new Breaker(clock, () => {});
    for (const tenant of tenants) breaker.failed(tenant);
    return breaker;
  };
  const often = (tenant: string | undefined, count: number) => Array.from({ length: count }, () => tenant);
  t.is(failing(...often('acme', 100)).state, 'closed');
  t.is(failing(...often('acme', 100), ...often('rival', 100)).state, 'closed');
  t.is(failing(...often('acme', 100), 'rival', 'rival', 'third').state, 'open');
  t.is(failing('a', 'b', 'c', 'd', 'e').state, 'open');
  t.is(failing(...often('acme', 100), ...often(undefined, 2)).state, 'closed');
  t.is(failing(...often('acme', 100), ...often(undefined, 3)).state, 'open');
  t.is(failing(...often('acme', 100)).failures, 2);
  const late = failing('acme', 'acme', 'rival', 'rival');
  clock.now += 30_001;
  late.failed('third');
  t.is(late.state, 'closed');
});

test('the trials of one tenant do not keep a breaker open for others, and those of three tenants, or nobody’s, do', (t) => {
  const clock = { now: 0, nowMs: () => clock.now, sleep: never };
  const cooled = (): Breaker => {
    const breaker = new Breaker(clock, () => {});
    for (let failures = 0; failures < 5; failures += 1) breaker.failed();
    clock.now += 60_000;
    return breaker;
  };
  const fails = (breaker: Breaker, tenant?: string): void => {
    t.true(breaker.admits(tenant), tenant ?? 'nobody');
    breaker.failed(tenant);
  };
  const healed = cooled();
  fails(healed, 'acme');
  t.false(healed.admits('acme'), 'its minute is not over');
  t.true(healed.admits('rival'));
  healed.succeeded();
  t.true(healed.admits('acme'));
  t.is(healed.state, 'closed');

  const alone = cooled();
  for (let trials = 0; trials < 5; trials += 1) {
    fails(alone, 'acme');
    t.false(alone.admits('acme'));
    clock.now += 60_000;
  }
  for (const trials of [['acme', 'rival', 'third'], [undefined], ['acme', undefined]]) {
    const broken = cooled();
    for (const tenant of trials) fails(broken, tenant);
    for (const tenant of ['acme', 'other', undefined]) t.false(broken.admits(tenant), `${trials.join()}: ${tenant ?? 'nobody'}`);
    clock.now += 60_000;
    t.true(broken.admits('acme'));
  }
});

test('a tap that does not settle is cut off at its limit, its signal aborts, and its late answer is thrown away', async (t) => {
  let signal: AbortSignal | undefined;
  let answer: (() => void) | undefined;
  const slow = gate(
    'slow',
    (context) => {
      signal = context.signal;
      t.is(context.remainingMs(), 300);
      return new Promise((resolve) => (answer = resolve));
    },
    300,
  );
  const { kernel, clock } = await start([slow, gate('quick', () => {})]);
  const requested = kernel.hooks.gate(validate, selector, request());
  await clock.advance(290);
  t.false(signal?.aborted);
  await clock.advance(20);
  const { failures } = await requested;
  t.deepEqual(
    failures.map(({ plugin, error }) => [plugin, error.code, error.message]),
    [['slow', 'TAP_PLUGIN_TIMEOUT', 'plugin slow did not finish admission.validate within 300 ms']],
  );
  t.true(signal?.aborted);
  answer?.();
  await settled();
  t.is(metric(kernel, 'tappaas_tap_duration_seconds_count{plugin="slow",hook="admission.validate",outcome="timeout"}'), 1);
  t.is(metric(kernel, 'tappaas_tap_duration_seconds_count{plugin="slow",hook="admission.validate",outcome="ok"}'), 0);
  await kernel.stop();
});

test('one deadline is shared by a whole request: the tap that it runs out on is not blamed', async (t) => {
  const remaining: number[] = [];
  const { kernel, clock } = await start([
    gate('a', async (context) => {
      remaining.push(context.remainingMs());
      await never();
    }),
  ]);
  const scope = { deadlineAtMs: clock.nowMs() + 400 };
  for (let n = 0; n < 6; n += 1) {
    const requested = kernel.hooks.gate(validate, selector, request(), { deadlineAtMs: clock.nowMs() + 400 });
    await clock.advance(500);
    const { failures } = await requested;
    t.is(failures[0]?.error.code, 'TAP_DEADLINE_EXCEEDED');
  }
  t.deepEqual(new Set(remaining), new Set([400]));
  const late = await kernel.hooks.gate(validate, selector, request(), scope);
  t.is(late.failures[0]?.error.code, 'TAP_DEADLINE_EXCEEDED', 'nothing is begun when the time is over');
  t.is(remaining.length, 6);
  t.is(kernel.plugins()[0]?.breakers[0]?.state, 'closed');
  await kernel.stop();
});

test('the signal of a request that went away reaches its taps', async (t) => {
  let signal: AbortSignal | undefined;
  const { kernel } = await start([
    gate('a', async (context) => {
      signal = context.signal;
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
    }),
  ]);
  const caller = new AbortController();
  const requested = kernel.hooks.gate(validate, selector, request(), { signal: caller.signal });
  caller.abort(new Error('hung up'));
  await requested;
  t.true(signal?.aborted);
  await kernel.stop();
});

test('who runs is known across awaits, timers, microtasks and nested calls', async (t) => {
  const seen: (string | undefined)[] = [];
  const Greeter = defineService<{ greet(): Promise<void> }>({ id: 'acme/greeter', contract: 1 });
  const greeter = definePlugin({
    id: 'greeter',
    setup(host) {
      host.provide(Greeter, () => ({
        greet: async () => {
          seen.push(loaded.kernel.pluginOf());
          await Promise.resolve();
          seen.push(loaded.kernel.pluginOf());
        },
      }));
    },
  });
  const user = definePlugin({
    id: 'user',
    needs: { greeter: Greeter },
    setup(host, _config, services) {
      host.tap(validate, { kinds }, async () => {
        seen.push(loaded.kernel.pluginOf());
        await new Promise((resolve) => setTimeout(resolve, 1));
        seen.push(loaded.kernel.pluginOf());
        await services.greeter.greet();
        seen.push(loaded.kernel.pluginOf());
      });
    },
  });
  const loaded = await start([
    { id: 'mine', plugin: user },
    { id: 'hello', plugin: greeter },
  ]);
  await loaded.kernel.hooks.gate(validate, selector, request());
  t.deepEqual(seen, ['mine', 'mine', 'hello', 'hello', 'mine']);
  t.is(loaded.kernel.pluginOf(), undefined);
  await loaded.kernel.stop();
});

test('an outer asynchronous context survives the guard', async (t) => {
  const outer = new AsyncLocalStorage<string>();
  let seen: string | undefined;
  const { kernel } = await start([
    gate('a', async () => {
      await Promise.resolve();
      seen = outer.getStore();
    }),
  ]);
  await outer.run('request-1', () => kernel.hooks.gate(validate, selector, request()));
  t.is(seen, 'request-1');
  await kernel.stop();
});

test('five failures of its own blame cut a plugin off one hook and no other; those of others do not count', async (t) => {
  const errors = defineErrors({
    NOISY_PRICES_DOWN: { httpStatus: 503, blame: 'upstream', retry: 'back-off', remedy: 'Check the price service.' },
    NOISY_ASKED_WRONGLY: { httpStatus: 400, blame: 'caller', retry: 'never', remedy: 'Ask correctly.' },
  });
  let fails: 'upstream' | 'caller' | 'own' | 'not' = 'upstream';
  const plugin = definePlugin({
    id: 'noisy',
    setup(host) {
      host.tap(validate, { kinds }, () => {
        if (fails === 'upstream') throw errors.NOISY_PRICES_DOWN({ message: 'no prices' });
        if (fails === 'caller') throw errors.NOISY_ASKED_WRONGLY({ message: 'wrong' });
        if (fails === 'own') throw new Error('bug');
      });
      host.tap(hooks.admission.mutate, { kinds }, () => undefined);
    },
  });
  const { kernel, clock, events } = await start([{ id: 'noisy', plugin }]);
  const ask = async () => (await kernel.hooks.gate(validate, selector, request())).failures[0]?.error.code;
  for (let n = 0; n < 10; n += 1) t.is(await ask(), 'NOISY_PRICES_DOWN');
  fails = 'caller';
  for (let n = 0; n < 10; n += 1) t.is(await ask(), 'NOISY_ASKED_WRONGLY');
  fails = 'own';
  for (let n = 0; n < 5; n += 1) t.is(await ask(), 'TAP_PLUGIN_FAILED');
  t.is(await ask(), 'TAP_PLUGIN_CIRCUIT_OPEN');
  t.is(metric(kernel, 'tappaas_breaker_open{plugin="noisy",hook="admission.validate"}'), 1);
  t.is(metric(kernel, 'tappaas_tap_skipped_total{plugin="noisy",hook="admission.validate",reason="breaker"}'), 1);
  const requested = request();
  const mutated = await kernel.hooks.transform(hooks.admission.mutate, selector, {
    value: requested.object,
    input: (object) => ({ ...requested, object }),
  });
  t.is(mutated.failure, undefined);
  fails = 'not';
  t.is(await ask(), 'TAP_PLUGIN_CIRCUIT_OPEN');
  await clock.advance(60_000);
  t.is(await ask(), undefined);
  t.is(kernel.plugins()[0]?.breakers.find(({ hook }) => hook === 'admission.validate')?.state, 'closed');
  t.deepEqual(
    events.filter(({ type }) => type.startsWith('breaker')).map(({ type }) => type),
    ['breaker.open', 'breaker.half-open', 'breaker.closed'],
  );
  await kernel.stop();
});

test('a trial call of a synchronous tap that succeeds late closes the breaker all the same', async (t) => {
  let tookMs = 0;
  let monotonicMs = 0;
  let fails = true;
  const plugin = definePlugin({
    id: 'slow',
    setup: (host) =>
      host.tap(hooks.telemetry.log, {}, () => {
        if (fails) throw new Error('bug');
        monotonicMs += tookMs;
      }),
  });
  const { kernel, clock } = await start(only(plugin), { monotonicMs: () => monotonicMs });
  const state = () => kernel.plugins()[0]?.breakers.find(({ hook }) => hook === 'telemetry.log')?.state;
  const log = () => kernel.hooks.observe(hooks.telemetry.log, { level: 'info', atMs: 0, message: 'hello', fields: {} });
  for (let n = 0; n < 5; n += 1) log();
  t.is(state(), 'open');
  fails = false;
  for (const [after, blockedMs] of [
    ['open', 251],
    ['closed', 100],
  ] as const) {
    await clock.advance(60_000);
    tookMs = blockedMs;
    log();
    t.is(state(), after, `after ${blockedMs} ms`);
  }
  await kernel.stop();
});

test('a service that still fails a tenant’s trial is not called for this tenant until another minute is over', async (t) => {
  let calls = 0;
  const Prices = defineService<{ read(): Promise<void> }>({ id: 'acme/prices', contract: 1 });
  const read = async (): Promise<void> => {
    calls += 1;
    throw new Error('bug');
  };
  const provider = definePlugin({ id: 'provider', setup: (host) => host.provide(Prices, () => ({ read })) });
  const user = definePlugin({
    id: 'user',
    needs: { prices: Prices },
    setup: (host, _config, { prices }) => host.tap(validate, { kinds }, () => prices.read().catch(() => {}) as Promise<undefined>),
  });
  const { kernel, clock } = await start([
    { id: 'user', plugin: user },
    { id: 'provider', plugin: provider },
  ]);
  const gated = (tenant?: string) => kernel.hooks.gate(validate, selector, request(), { tenant });
  for (let n = 0; n < 6; n += 1) await gated();
  t.is(calls, 5, 'the breaker is open');
  await clock.advance(60_000);
  for (let n = 0; n < 3; n += 1) await gated('acme');
  t.is(calls, 6);
  await gated('rival');
  t.is(calls, 7);
  await clock.advance(60_000);
  await gated('acme');
  t.is(calls, 8);
  await kernel.stop();
});

test('a plugin that waits for another one is not blamed for its slowness', async (t) => {
  const Slow = defineService<{ wait(): Promise<void> }>({ id: 'acme/slow', contract: 1 });
  const provider = definePlugin({ id: 'provider', setup: (host) => host.provide(Slow, () => ({ wait: never })) });
  const user = definePlugin({
    id: 'user',
    needs: { slow: Slow },
    setup: (host, _config, { slow }) => host.tap(validate, { kinds }, () => slow.wait() as Promise<undefined>),
  });
  const { kernel, clock } = await start([
    { id: 'user', plugin: user },
    { id: 'provider', plugin: provider },
  ]);
  for (let n = 0; n < 6; n += 1) {
    const requested = kernel.hooks.gate(validate, selector, request());
    await clock.advance(2000);
    t.is((await requested).failures[0]?.plugin, 'user');
  }
  t.is(kernel.plugins().find(({ id }) => id === 'user')?.breakers[0]?.state, 'closed');
  await kernel.stop();
});

test('an error keeps its plugin, its code and its cause, and a foreign thing that is thrown becomes an error', async (t) => {
  for (const thrown of [new TypeError('x is undefined'), 'a text', undefined, null, 42, { message: 'not an error' }]) {
    const { kernel } = await start([
      gate('odd', () => {
        throw thrown as Error;
      }),
    ]);
    const { failures } = await kernel.hooks.gate(validate, selector, request());
    t.is(failures[0]?.error.code, 'TAP_PLUGIN_FAILED');
    t.is(failures[0]?.error.plugin, 'odd');
    t.is(failures[0]?.error.cause, thrown);
    await kernel.stop();
  }
});

test('in-flight calls are counted down whatever way they end', async (t) => {
  let end: (() => void) | undefined;
  const { kernel, clock } = await start([gate('a', () => new Promise((resolve) => (end = resolve)))]);
  const first = kernel.hooks.gate(validate, selector, request());
  const second = kernel.hooks.gate(validate, selector, request());
  await clock.advance(0);
  end?.();
  await clock.advance(2000);
  await Promise.all([first, second]);
  const stopped = kernel.stop();
  await clock.advance(0);
  t.deepEqual(await stopped, { errors: [], leaks: [] });
  t.is(clock.sleeping, 0, 'nothing waits for the clock any more');
});

import test from 'ava';
import type { ResourceStore } from '@tappaas/sdk';
import { createMemoryStore } from '../../dist/store/memory-store.js';
import { createLeader, type Leader, type LeaderOptions, type Term } from '../../dist/reconcile/leader.js';
import { storeLeaseLock, type LeaseLock } from '../../dist/reconcile/lease-lock.js';
import { VirtualClock, seededRandom, settled } from '../virtual-clock.ts';

interface Replica {
  readonly leader: Leader;
  readonly terms: Term[];
  readonly errors: unknown[];
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  stuck: number;
}

function setUp() {
  const clock = new VirtualClock();
  const store = createMemoryStore({ clock });
  const start = (holder: string, options: Partial<LeaderOptions> = {}): Replica => {
    const terms: Term[] = [];
    const errors: unknown[] = [];
    const stop = new AbortController();
    const replica: { stuck: number } = { stuck: 0 };
    const leader = createLeader({
      name: 'controller shop',
      lock: storeLeaseLock(store, '/leases/shop'),
      holder,
      clock,
      random: () => 0.5,
      lead: (term) => {
        terms.push(term);
        return new Promise((resolve) => term.signal.addEventListener('abort', () => resolve()));
      },
      onStuck: () => (replica.stuck += 1),
      onError: (error) => void errors.push(error),
      ...options,
    });
    return Object.assign(replica, { leader, terms, errors, stop, ended: leader.run(stop.signal) });
  };
  return { clock, store, start };
}

/** A lock that cannot be reached while `isDown` says so. */
function unreachable(lock: LeaseLock, isDown: () => boolean): LeaseLock {
  const down = (): Promise<never> => Promise.reject(new Error('unreachable'));
  return {
    acquire: (...given) => (isDown() ? down() : lock.acquire(...given)),
    renew: (...given) => (isDown() ? down() : lock.renew(...given)),
    release: (...given) => (isDown() ? down() : lock.release(...given)),
  };
}

/** A write as a leader makes it. */
function write(store: ResourceStore, fence: { key: string; createRevision: number }): Promise<boolean> {
  const changes = [{ put: '/objects/a', value: new Uint8Array([1]) }];
  return store.transact({ guards: [{ key: fence.key, createRevision: fence.createRevision }], changes }).then(({ ok }) => ok);
}

test('of several replicas one leads, and goes on leading', async (t) => {
  const { clock, start } = setUp();
  const replicas = ['a', 'b', 'c'].map((holder) => start(holder));
  await clock.advance(600_000);
  t.deepEqual(
    replicas.map(({ leader, terms }) => [leader.isLeading, terms.length]),
    [
      [true, 1],
      [false, 0],
      [false, 0],
    ],
  );
});

test('each controller has a lease of its own, so replicas share the work', async (t) => {
  const { clock, store, start } = setUp();
  const a = start('a');
  const b = start('b', { lock: storeLeaseLock(store, '/leases/blog') });
  await clock.advance(1_000);
  t.true(a.leader.isLeading);
  t.true(b.leader.isLeading);
});

test('a leader that stops gives its lease back: another leads within 2 s', async (t) => {
  const { clock, start } = setUp();
  const a = start('a');
  await clock.advance(0);
  const b = start('b');
  await clock.advance(60_000);
  a.stop.abort();
  await clock.advance(2_000);
  await a.ended;
  t.false(a.leader.isLeading);
  t.true(b.leader.isLeading);
});

test('a leader that dies is followed within 20 s', async (t) => {
  const { clock, store, start } = setUp();
  let dead = false;
  start('a', { lock: unreachable(storeLeaseLock(store, '/leases/shop'), () => dead) });
  await clock.advance(0);
  const b = start('b');
  await clock.advance(12_000);
  dead = true;
  await clock.advance(20_000);
  t.true(b.leader.isLeading);
});

test('a leader that cannot renew stops leading before anybody else may', async (t) => {
  const { clock, store, start } = setUp();
  let broken = false;
  const a = start('a', { lock: unreachable(storeLeaseLock(store, '/leases/shop'), () => broken) });
  await clock.advance(0);
  const b = start('b');
  await clock.advance(20_000);
  broken = true;
  let both = 0;
  let leaderless = 0;
  for (let n = 0; n < 200; n += 1) {
    await clock.advance(100);
    if (a.leader.isLeading && b.leader.isLeading) both += 1;
    if (!a.leader.isLeading && !b.leader.isLeading) leaderless += 1;
  }
  t.is(both, 0);
  t.true(leaderless > 0);
  t.true(b.leader.isLeading);
  t.true(a.terms[0]?.signal.aborted);
  t.is((a.terms[0]?.signal.reason as { code?: string } | undefined)?.code, 'TAP_LEADER_LOST');
});

test('a renewal that never answers loses the lease in time', async (t) => {
  const { clock, store, start } = setUp();
  const lock = storeLeaseLock(store, '/leases/shop');
  const a = start('a', { lock: { ...lock, renew: () => new Promise(() => {}) } });
  await clock.advance(9_900);
  t.true(a.leader.isLeading);
  await clock.advance(100);
  t.false(a.leader.isLeading);
});

test('a single failed renewal is tried again and loses nothing', async (t) => {
  const { clock, store, start } = setUp();
  const lock = storeLeaseLock(store, '/leases/shop');
  let failures = 2;
  const renew: LeaseLock['renew'] = (lease, signal) => (failures-- > 0 ? Promise.reject(new Error('busy')) : lock.renew(lease, signal));
  const a = start('a', { lock: { ...lock, renew } });
  await clock.advance(120_000);
  t.is(a.terms.length, 1);
  t.is(a.errors.length, 2);
});

test('after a freeze nothing is renewed: the term ends, and the store refuses what still carries its fence', async (t) => {
  const { clock, store, start } = setUp();
  let renewals = 0;
  const lock = storeLeaseLock(store, '/leases/shop');
  const counting: LeaseLock = {
    ...lock,
    renew: (lease, signal) => {
      renewals += 1;
      return lock.renew(lease, signal);
    },
  };
  const a = start('a', { lock: counting });
  await clock.advance(1_000);
  const old = a.leader.fence();
  t.true(await write(store, old));
  await clock.freeze(60_000);
  t.is(renewals, 0);
  t.true(a.terms[0]?.signal.aborted);
  t.false(await write(store, old), 'nobody leads: the fence is down all the same');
  const b = start('b');
  await clock.advance(20_000);
  t.is(Number(a.leader.isLeading) + Number(b.leader.isLeading), 1);
  t.false(await write(store, old), 'another leads');
  t.true(await write(store, a.leader.isLeading ? a.leader.fence() : b.leader.fence()));
});

test('while its main loop hangs a leader does not renew', async (t) => {
  const { clock, start } = setUp();
  let alive = true;
  const a = start('a', { isAlive: () => alive });
  await clock.advance(60_000);
  t.true(a.leader.isLeading);
  alive = false;
  await clock.advance(10_000);
  t.true(a.terms[0]?.signal.aborted);
});

test('a hang that ends in time costs nothing', async (t) => {
  const { clock, start } = setUp();
  let alive = true;
  const a = start('a', { isAlive: () => alive });
  await clock.advance(60_000);
  alive = false;
  await clock.advance(4_000);
  alive = true;
  await clock.advance(60_000);
  t.is(a.terms.length, 1);
  t.false(a.terms[0]?.signal.aborted);
});

test('work that goes on 5 s after its term is told as stuck, and no new term begins beside it', async (t) => {
  const { clock, store, start } = setUp();
  const gate = Promise.withResolvers<void>();
  let begun = 0;
  const lock = storeLeaseLock(store, '/leases/shop');
  const lead = (): Promise<void> => {
    begun += 1;
    return gate.promise;
  };
  const a = start('a', { lock: { ...lock, renew: () => Promise.resolve(false) }, lead });
  await clock.advance(9_900);
  t.is(a.stuck, 0);
  await clock.advance(100);
  t.is(a.stuck, 1);
  await clock.advance(60_000);
  t.is(begun, 1);
  gate.resolve();
  await clock.advance(1_000);
  t.is(begun, 2);
});

test('work that is stuck when the leader stops keeps the lease until it expires', async (t) => {
  const { clock, store, start } = setUp();
  const a = start('a', { lead: () => new Promise(() => {}) });
  await clock.advance(0);
  a.stop.abort();
  await clock.advance(6_000);
  t.is(a.stuck, 1);
  t.truthy(await store.get('/leases/shop'), 'not given back while its work may still write');
  await clock.advance(15_000);
  t.is(await store.get('/leases/shop'), undefined);
});

test('work that ends or fails by itself ends the term, and the lease is open to all', async (t) => {
  const { clock, start } = setUp();
  const a = start('a', {
    lead: () => Promise.reject(new Error('the controller broke')),
  });
  await clock.advance(0);
  t.is((a.errors[0] as Error).message, 'the controller broke');
  t.false(a.leader.isLeading);
  const b = start('b');
  await clock.advance(1_000);
  t.true(b.leader.isLeading);
});

test('a replica that does not lead has no fence', async (t) => {
  const { clock, start } = setUp();
  const a = start('a');
  t.throws(() => a.leader.fence(), { code: 'TAP_LEADER_LOST' });
  await clock.advance(0);
  t.notThrows(() => a.leader.fence());
});

test('an idle leader writes nothing to the store', async (t) => {
  const { clock, store, start } = setUp();
  start('a');
  await clock.advance(1_000);
  const revision = await store.currentRevision();
  await clock.advance(600_000);
  t.is(await store.currentRevision(), revision);
});

for (const seed of [1, 2, 3, 4]) {
  test(`whatever fails, two replicas never lead at once and only the leader's writes are accepted (seed ${seed})`, async (t) => {
    const random = seededRandom(seed);
    const { clock, store, start } = setUp();
    const lock = storeLeaseLock(store, '/leases/shop');
    const flaky = <R>(work: () => Promise<R>): Promise<R> => {
      const draw = random();
      if (draw < 0.3) return Promise.reject(new Error('lost'));
      return draw < 0.4 ? work().then(() => Promise.reject(new Error('answer lost'))) : work();
    };
    const unreliable: LeaseLock = {
      acquire: (...given) => flaky(() => lock.acquire(...given)),
      renew: (...given) => flaky(() => lock.renew(...given)),
      release: (...given) => flaky(() => lock.release(...given)),
    };
    const replicas = ['a', 'b', 'c'].map((holder) => start(holder, { lock: unreliable, random }));
    let terms = 0;
    for (let n = 0; n < 400; n += 1) {
      if (random() < 0.05) await clock.freeze(Math.floor(random() * 30_000));
      else await clock.advance(Math.floor(random() * 3_000));
      await settled();
      const leading = replicas.filter(({ leader }) => leader.isLeading);
      if (leading.length > 1) t.fail(`${leading.length} lead`);
      for (const { leader, terms } of replicas) {
        for (const { fence } of terms) {
          const isCurrent = leader.isLeading && leader.fence().createRevision === fence.createRevision;
          if ((await write(store, fence)) && !isCurrent) {
            // Between losing a term and the lease's expiry the fence still stands, but then nobody else can lead.
            if (leading.length > 0) t.fail('a former leader wrote beside a new one');
          }
        }
      }
      terms = replicas.reduce((sum, { terms }) => sum + terms.length, 0);
    }
    t.true(terms > 3, `${terms} terms`);
  });
}

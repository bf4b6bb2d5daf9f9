import { isTapError } from '@tappaas/sdk';
import test from 'ava';
import { rounds, sqliteHarness } from './sqlite-harness.ts';

const watchers = 8;
const writers = 32;

type Open = (fromRevision: number) => AsyncIterable<{ revision: number; events: readonly { revision: number; key: string }[] }>;

/** A watcher that is cut repeatedly, resumes after the last batch, and checks that no event is missing, duplicated or out of order. */
class Follower {
  readonly #open: Open;
  readonly seen = new Map<string, number>();
  cuts = 0;
  #last = 0;
  #revisions = 0;

  constructor(open: Open) {
    this.#open = open;
  }

  async follow(until: number, cutEveryMs: number): Promise<string | undefined> {
    while (this.#revisions < until) {
      try {
        const fault = await this.#untilCut(until, performance.now() + cutEveryMs);
        if (fault !== undefined) return fault;
      } catch (error) {
        if (!isTapError(error, 'TAP_STORE_SLOW_CONSUMER')) throw error;
        if (error.data['revision'] !== this.#revisions) return `cut at ${String(error.data['revision'])}, told up to ${this.#revisions}`;
      }
      this.cuts++;
    }
    return undefined;
  }

  async #untilCut(until: number, cutAtMs: number): Promise<string | undefined> {
    for await (const { revision, events } of this.#open(this.#revisions + 1)) {
      for (const event of events) {
        if (event.revision !== this.#last + 1) return `revision ${event.revision} follows ${this.#last}`;
        this.#last = event.revision;
        this.seen.set(event.key, (this.seen.get(event.key) ?? 0) + 1);
      }
      if (revision < this.#last) return `a batch up to ${revision} told ${this.#last}`;
      this.#revisions = revision;
      if (revision >= until || performance.now() >= cutAtMs) return undefined;
    }
    return undefined;
  }
}

test('watchers that are cut all the time lose nothing, double nothing and see everything in order', async (t) => {
  t.timeout(rounds(5, 180) * 60_000);
  const events = rounds(20_000, 1_000_000);
  const harness = await sqliteHarness({ checkpointBytes: 1_000_000 });
  const followers = Array.from(
    { length: watchers },
    (_, index) =>
      new Follower((fromRevision) =>
        harness.store.watch({ start: 'k', end: 'l', fromRevision, bufferedEventsMax: index % 2 === 0 ? 100 : 10_000 }),
      ),
  );
  const following = followers.map((follower, index) => follower.follow(events, rounds(40, 2_000) + index));
  let written = 0;
  const writer = async (name: number) => {
    while (written < events) {
      written++;
      await harness.store.transact({ changes: [{ put: `k${name}`, value: Buffer.from('v') }] });
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, name) => writer(name)));
  t.is(await harness.store.currentRevision(), events);
  t.deepEqual(
    await Promise.all(following),
    Array.from({ length: watchers }, () => undefined),
  );
  for (const { seen, cuts } of followers) {
    t.is(
      [...seen.values()].reduce((sum, count) => sum + count, 0),
      events,
    );
    t.true(cuts > 1);
  }
  await harness.dispose();
});

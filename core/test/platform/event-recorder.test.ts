import { credentialErrors, type KubernetesObject, type Resources } from '@tappaas/sdk';
import test from 'ava';
import { createMetricRegistry } from '../../dist/kernel/kernel.js';
import { createEventRecorder } from '../../dist/platform/events/event-recorder.js';
import type { ObjectEvent } from '../../dist/platform/controllers/reconcile-context.js';
import { VirtualClock } from '../virtual-clock.ts';

interface Written extends KubernetesObject {
  readonly count: number;
  readonly message: string;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
}

const about = (name: string) => ({
  apiVersion: 'apps.tappaas.dev/v1alpha1',
  kind: 'Application',
  metadata: { name, namespace: 'team-a', uid: name, resourceVersion: '1' },
});
const warning = (message: string, sameAs?: string): ObjectEvent => ({
  type: 'Warning',
  reason: 'CrashLoop',
  message,
  ...(sameAs === undefined ? {} : { sameAs }),
});

const unavailable = credentialErrors.TAP_ISSUER_UNAVAILABLE({ message: 'the store does not answer' });
const denied = credentialErrors.TAP_CREDENTIAL_INVALID({ message: 'the namespace is going' });

/** A recorder over Events in memory, the writes that it cost, and what it logged. */
function recorded(hold: Promise<void> = Promise.resolve()) {
  const failures: Error[] = [];
  /** Answers that are lost after the write. */
  const losses: Error[] = [];
  const stored = new Map<string, Written>();
  const log: string[] = [];
  let writes = 0;
  const lose = (): void => {
    const loss = losses.shift();
    if (loss !== undefined) throw loss;
  };
  const resources = {
    get: async (_: unknown, { name }: { readonly name: string }) => {
      await hold;
      return stored.get(name);
    },
    create: async (_: unknown, event: Written) => {
      writes += 1;
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      stored.set(event.metadata.name ?? '', event);
      lose();
    },
    patch: async (_: unknown, { name }: { readonly name: string }, patch: object) => {
      writes += 1;
      stored.set(name, { ...(stored.get(name) as Written), ...patch });
      lose();
    },
  } as unknown as Resources;
  const clock = new VirtualClock();
  const note = (message: string) => void log.push(message);
  const metrics = createMetricRegistry();
  const random = () => 0;
  const loggers = { debug: note, info: note, warn: note, error: note };
  const recorder = createEventRecorder({ resources, component: 'applications', metrics, clock, random, log: loggers });
  const dropped = () => metrics.text().match(/^tappaas_events_dropped_total\{.*$/gm) ?? [];
  return { recorder, clock, log, failures, losses, dropped, all: () => [...stored.values()], writes: () => writes };
}

test('the same event again raises the count of the one that is there, and tells what it says now and when it was last', async (t) => {
  const { recorder, clock, all, writes } = recorded();
  recorder.emit(about('shop'), warning('ended 3 times', 'generation 1'));
  await recorder.settled();
  await clock.advance(60_000);
  recorder.emit(about('shop'), warning('ended 4 times', 'generation 1'));
  recorder.emit(about('shop'), warning('ended 3 times', 'generation 2'));
  await recorder.settled();
  t.is(writes(), 3);
  t.like(
    all().map(({ count, message }) => ({ count, message })),
    [
      { count: 2, message: 'ended 4 times' },
      { count: 1, message: 'ended 3 times' },
    ],
  );
  const [first] = all();
  t.is(Date.parse(first?.lastTimestamp ?? '') - Date.parse(first?.firstTimestamp ?? ''), 60_000);
});

test('what goes on happening is written ever more rarely, and its count misses nothing', async (t) => {
  const { recorder, clock, all, writes } = recorded();
  for (let happened = 0; happened < 100; happened += 1) recorder.emit(about('shop'), warning('ended'));
  await recorder.settled();
  t.is(writes(), 3);
  await clock.advance(300_000);
  recorder.emit(about('shop'), warning('ended'));
  await recorder.settled();
  t.is(writes(), 4);
  t.deepEqual(
    all().map(({ count }) => count),
    [101],
  );
});

test('an object of which ever different things are told has so many events and no more, and takes none from others', async (t) => {
  const { recorder, all } = recorded();
  for (let happened = 0; happened < 200; happened += 1) recorder.emit(about('shop'), warning(`failed ${happened}`));
  recorder.emit(about('catalog'), warning('failed'));
  await recorder.settled();
  const of = (name: string) => all().filter((event) => event.metadata.name?.startsWith(`${name}.`)).length;
  t.deepEqual([of('shop'), of('catalog')], [50, 1]);
});

test('an object that goes on crashing has room left for the events of the change that mends it', async (t) => {
  const { recorder, clock, all } = recorded();
  for (let crash = 0; crash < 100; crash += 1) {
    for (const reason of ['CrashLoop', 'CrashLoopBackOff', 'Serving'])
      recorder.emit(about('shop'), { type: 'Warning', reason, message: `crash ${crash}`, sameAs: 'generation 1' });
    await recorder.settled();
    await clock.advance(60_000);
  }
  recorder.emit(about('shop'), warning('a new release', 'generation 2'));
  await recorder.settled();
  t.is(all().length, 4);
});

test('an event that could not be written is tried again ever more slowly, before what was emitted later of its object', async (t) => {
  const { recorder, clock, failures, all, writes, dropped } = recorded();
  failures.push(unavailable, new Error('the connection was cut off'));
  recorder.emit(about('shop'), warning('first'));
  recorder.emit(about('shop'), warning('second'));
  await recorder.settled();
  t.is(writes(), 1);
  await clock.advance(500);
  await recorder.settled();
  t.deepEqual([writes(), all().length], [2, 0]);
  await clock.advance(1_000);
  await recorder.settled();
  t.deepEqual(
    all().map(({ message, count }) => [message, count]),
    [
      ['first', 1],
      ['second', 1],
    ],
  );
  t.deepEqual(dropped(), []);
});

test('an event that is written late says when it happened', async (t) => {
  const { recorder, clock, failures, all } = recorded();
  const atMs = clock.nowMs();
  failures.push(unavailable, unavailable, unavailable);
  recorder.emit(about('shop'), warning('ended'));
  await recorder.settled();
  await clock.advance(60_000);
  await recorder.settled();
  const at = new Date(atMs).toISOString().replace('.000Z', 'Z');
  t.like(all(), [{ firstTimestamp: at, lastTimestamp: at }]);
});

test('a try whose answer was lost counts once', async (t) => {
  const { recorder, clock, losses, all, writes } = recorded();
  for (const expected of [1, 2]) {
    losses.push(new Error('the connection was cut off'));
    recorder.emit(about('shop'), warning('ended'));
    await recorder.settled();
    await clock.advance(60_000);
    await recorder.settled();
    t.deepEqual([writes(), all().map(({ count }) => count)], [2 * expected, [expected]]);
  }
});

test('what is refused is not tried again, and what fails for a minute is given up; both are counted, and told with what is next', async (t) => {
  const { recorder, clock, log, failures, all, writes, dropped } = recorded();
  failures.push(denied);
  recorder.emit(about('shop'), warning('ended'));
  await recorder.settled();
  t.is(writes(), 1);
  failures.push(...Array.from({ length: 12 }, () => unavailable));
  recorder.emit(about('shop'), warning('ended'));
  for (let tries = 0; tries < 12; tries += 1) {
    await recorder.settled();
    await clock.advance(10_000);
  }
  t.is(writes(), 13);
  t.deepEqual(dropped(), [
    'tappaas_events_dropped_total{component="applications",reason="refused"} 1',
    'tappaas_events_dropped_total{component="applications",reason="failed"} 1',
  ]);
  t.deepEqual(log, ['an event was refused', 'events are not written']);
  for (let more = 0; more < 3; more += 1) recorder.emit(about('shop'), warning('ended'));
  await recorder.settled();
  t.deepEqual([writes(), all().map(({ count }) => count)], [16, [5]], 'its turns were given back');
});

test('at the end what waits is tried once more, and no later', async (t) => {
  const { recorder, failures, all, writes } = recorded();
  failures.push(unavailable, unavailable);
  recorder.emit(about('shop'), warning('first'));
  recorder.emit(about('shop'), warning('second'));
  await recorder.settled();
  await recorder.stop();
  t.deepEqual([writes(), all().map(({ message }) => message)], [3, ['second']]);
});

test('more events than may wait are dropped, which is logged once and counted', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { recorder, log, dropped, all } = recorded(promise);
  for (let index = 0; index < 1_100; index += 1) recorder.emit(about(`shop-${index}`), warning('failed'));
  resolve();
  await recorder.settled();
  t.is(all().length, 1_000);
  t.deepEqual(log, ['events are not written']);
  t.deepEqual(dropped(), ['tappaas_events_dropped_total{component="applications",reason="full"} 100']);
});

import test from 'ava';
import { createWorkQueue } from '../../dist/queue/work-queue.js';
import { seededRandom, settled } from '../virtual-clock.ts';
import {
  configMap,
  configMaps,
  namespaces,
  objectOf,
  startEngine,
  widget,
  widgets,
  type Fixture,
  type TestObject,
} from './engine-fixture.ts';

/** Runs a collector until `stop`. */
function collect({ engine, clock }: Fixture) {
  const stop = new AbortController();
  const errors: unknown[] = [];
  const ended = engine.collectGarbage({
    createQueue: ({ onRoom }) =>
      createWorkQueue<string>({ clock, random: seededRandom(7), backoff: { baseMs: 10, maxMs: 1000, jitter: 0.5 }, onRoom }),
    signal: stop.signal,
    onError: (error) => errors.push(error),
  });
  return {
    errors,
    stop: async () => {
      stop.abort();
      await ended;
    },
  };
}

/** Lets the collector and the caches come to rest. */
async function rest({ clock }: Fixture): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) {
    await settled();
    await clock.advance(100);
  }
}

const owned = (name: string, owner: TestObject, more: object = {}): TestObject =>
  configMap(name, {}, { ownerReferences: [{ ...referenceTo(owner), ...more }] });

const referenceTo = ({ apiVersion, kind, metadata }: TestObject): object => ({ apiVersion, kind, name: metadata.name, uid: metadata.uid });

test('what belongs to a deleted object is deleted, and what belongs to that', async (t) => {
  const fixture = await startEngine();
  const collector = collect(fixture);
  const { create, remove, names } = fixture;
  const root = objectOf(await create(widgets, widget('root')));
  const child = objectOf(await create(configMaps, owned('child', root)));
  await create(configMaps, owned('grandchild', child));
  await create(configMaps, configMap('stranger'));
  await rest(fixture);
  t.deepEqual(await names(configMaps), ['child', 'grandchild', 'stranger']);
  await remove(widgets, 'default/root', { propagationPolicy: 'Background' });
  await rest(fixture);
  t.deepEqual(await names(configMaps), ['stranger']);
  t.deepEqual(collector.errors, []);
  await collector.stop();
});

test('an owner deleted in the foreground goes after the dependents that hold it', async (t) => {
  const fixture = await startEngine();
  const { create, remove, get, names, patch } = fixture;
  const root = objectOf(await create(widgets, widget('root')));
  await create(configMaps, { ...owned('held', root, { blockOwnerDeletion: true }) });
  await patch(configMaps, 'default/held', { metadata: { finalizers: ['test.dev/wait'] } });
  await create(configMaps, owned('loose', root));
  const collector = collect(fixture);
  const removed = await remove(widgets, 'default/root', { propagationPolicy: 'Foreground' });
  t.is(removed.outcome, 'deleting');
  t.deepEqual(objectOf(removed).metadata.finalizers, ['foregroundDeletion']);
  await rest(fixture);
  t.deepEqual(await names(configMaps), ['held'], 'the loose one is gone');
  t.truthy((await get(configMaps, 'default/held')).metadata.deletionTimestamp);
  t.deepEqual(await names(widgets), ['root'], 'the held one still holds it');
  await patch(configMaps, 'default/held', { metadata: { finalizers: null } });
  await rest(fixture);
  t.deepEqual([...(await names(configMaps)), ...(await names(widgets))], []);
  await collector.stop();
});

test('an owner that waits goes when what held it lets go of it', async (t) => {
  const fixture = await startEngine();
  const { create, remove, names, patch } = fixture;
  const collector = collect(fixture);
  const root = objectOf(await create(widgets, widget('root')));
  await create(configMaps, owned('held', root, { blockOwnerDeletion: true }));
  await patch(configMaps, 'default/held', { metadata: { finalizers: ['test.dev/wait'] } });
  await remove(widgets, 'default/root', { propagationPolicy: 'Foreground' });
  await rest(fixture);
  t.deepEqual(await names(widgets), ['root']);
  await patch(configMaps, 'default/held', { metadata: { ownerReferences: null } });
  await rest(fixture);
  t.deepEqual(await names(widgets), []);
  t.deepEqual(await names(configMaps), ['held']);
  await collector.stop();
});

test('orphaned dependents stay and no longer know their owner', async (t) => {
  const fixture = await startEngine();
  const { create, remove, get, names } = fixture;
  const collector = collect(fixture);
  const root = objectOf(await create(widgets, widget('root')));
  await create(configMaps, owned('child', root));
  await remove(widgets, 'default/root', { propagationPolicy: 'Orphan' });
  await rest(fixture);
  t.deepEqual(await names(widgets), []);
  t.is((await get(configMaps, 'default/child')).metadata.ownerReferences, undefined);
  await collector.stop();
});

test('an object with two owners outlives one of them', async (t) => {
  const fixture = await startEngine();
  const { create, remove, get, names } = fixture;
  const collector = collect(fixture);
  const [one, two] = [objectOf(await create(widgets, widget('one'))), objectOf(await create(widgets, widget('two')))];
  await create(configMaps, configMap('child', {}, { ownerReferences: [referenceTo(one), referenceTo(two)] }));
  await remove(widgets, 'default/one');
  await rest(fixture);
  t.deepEqual((await get(configMaps, 'default/child')).metadata.ownerReferences, [referenceTo(two)]);
  await remove(widgets, 'default/two');
  await rest(fixture);
  t.deepEqual(await names(configMaps), []);
  await collector.stop();
});

test('an owner of the same name and another uid is no owner', async (t) => {
  const fixture = await startEngine();
  const { create, remove, names } = fixture;
  const collector = collect(fixture);
  const old = objectOf(await create(widgets, widget('root')));
  await remove(widgets, 'default/root');
  await create(widgets, widget('root'));
  await create(configMaps, owned('child', old));
  await rest(fixture);
  t.deepEqual(await names(configMaps), []);
  t.deepEqual(await names(widgets), ['root']);
  await collector.stop();
});

test('an owner of a kind that is not served here is not taken for gone', async (t) => {
  const fixture = await startEngine();
  const { create, names } = fixture;
  const collector = collect(fixture);
  const reference = { apiVersion: 'elsewhere.dev/v1', kind: 'Thing', name: 'x', uid: 'u-1' };
  await create(configMaps, configMap('child', {}, { ownerReferences: [reference] }));
  await rest(fixture);
  t.deepEqual(await names(configMaps), ['child']);
  await collector.stop();
});

test('a collector that starts late makes up for what it missed', async (t) => {
  const fixture = await startEngine();
  const { create, remove, names } = fixture;
  const root = objectOf(await create(widgets, widget('root')));
  await create(configMaps, owned('child', root));
  await remove(widgets, 'default/root');
  t.deepEqual(await names(configMaps), ['child']);
  await fixture.engine.close();
  const restarted = await startEngine({ store: fixture.store, clock: fixture.clock });
  const collector = collect(restarted);
  await rest(restarted);
  t.deepEqual(await restarted.names(configMaps), []);
  await collector.stop();
});

test('a collector that has nothing to do writes nothing', async (t) => {
  const fixture = await startEngine();
  const { create, store } = fixture;
  const root = objectOf(await create(widgets, widget('root')));
  for (let index = 0; index < 20; index += 1) await create(configMaps, owned(`child-${index}`, root));
  const revision = await store.currentRevision();
  const collector = collect(fixture);
  await rest(fixture);
  t.is(await store.currentRevision(), revision);
  await collector.stop();
});

test('the garbage of one namespace does not hold up that of another', async (t) => {
  const fixture = await startEngine();
  const { create, remove, engine, clock } = fixture;
  for (const name of ['big', 'small']) await create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const count = 60;
  for (const [namespace, children] of [
    ['big', count],
    ['small', 1],
  ] as const) {
    const root = objectOf(await create(widgets, widget('root', {}, { namespace })));
    for (let index = 0; index < children; index += 1)
      await create(configMaps, configMap(`child-${index}`, {}, { namespace, ownerReferences: [referenceTo(root)] }));
    await remove(widgets, `${namespace}/root`);
  }
  const order: (string | undefined)[] = [];
  const stop = new AbortController();
  const ended = engine.collectGarbage({
    createQueue: ({ onRoom, namespaceOf }) => {
      const tenantOf = (key: string): string => namespaceOf(key) ?? '';
      const backoff = { baseMs: 10, maxMs: 1000, jitter: 0.5 };
      const queue = createWorkQueue<string>({ clock, random: seededRandom(7), backoff, onRoom, tenantOf });
      return {
        add: (key: string) => queue.add(key),
        retry: (key: string) => queue.retry(key),
        forget: (key: string) => queue.forget(key),
        close: (options: { readonly drain: boolean }) => queue.close(options),
        get: (signal?: AbortSignal) => queue.get(signal),
        done: (key: string) => {
          order.push(namespaceOf(key));
          queue.done(key);
        },
      };
    },
    signal: stop.signal,
  });
  await rest(fixture);
  t.true(order.filter((namespace) => namespace === 'big').length >= count);
  t.true(order.indexOf('small') < 10, order.join());
  stop.abort();
  await ended;
});

test('a queue that was full is filled again when it has room', async (t) => {
  const fixture = await startEngine();
  const { create, remove, names, engine, clock } = fixture;
  const root = objectOf(await create(widgets, widget('root')));
  for (let index = 0; index < 30; index += 1) await create(configMaps, owned(`child-${index}`, root));
  await remove(widgets, 'default/root');
  const stop = new AbortController();
  const ended = engine.collectGarbage({
    createQueue: ({ onRoom }) =>
      createWorkQueue<string>({ clock, random: seededRandom(7), backoff: { baseMs: 10, maxMs: 1000, jitter: 0.5 }, onRoom, keysMax: 5 }),
    signal: stop.signal,
  });
  await rest(fixture);
  t.deepEqual(await names(configMaps), []);
  stop.abort();
  await ended;
});

test('a namespace goes after everything in it, and says what it waits for', async (t) => {
  const fixture = await startEngine();
  const { create, remove, get, names, patch } = fixture;
  const collector = collect(fixture);
  const created = objectOf(await create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } }));
  t.deepEqual(created.spec, { finalizers: ['kubernetes'] });
  t.is(created.status.phase, 'Active');
  t.is(created.metadata.labels['kubernetes.io/metadata.name'], 'team');
  for (const name of ['a', 'b']) await create(configMaps, configMap(name, {}, { namespace: 'team' }));
  await create(widgets, widget('w', {}, { namespace: 'team', finalizers: ['test.dev/wait'] }));
  const removed = await remove(namespaces, 'team');
  t.is(objectOf(removed).status.phase, 'Terminating');
  await t.throwsAsync(create(configMaps, configMap('late', {}, { namespace: 'team' })), { code: 'TAP_OBJECT_FORBIDDEN' });
  await rest(fixture);
  t.deepEqual(await names(configMaps, 'team'), []);
  const waiting = await get(namespaces, 'team');
  const condition = waiting.status.conditions.find(({ type }: { type: string }) => type === 'NamespaceFinalizersRemaining');
  t.is(condition.status, 'True');
  t.regex(condition.message, /test\.dev\/wait/);
  await patch(widgets, 'team/w', { metadata: { finalizers: null } });
  await rest(fixture);
  t.deepEqual(await names(namespaces), ['default']);
  t.deepEqual(collector.errors, []);
  await collector.stop();
});

test('nothing can be left behind in a namespace that ends while things are created in it', async (t) => {
  const fixture = await startEngine();
  const { create, remove, names } = fixture;
  const collector = collect(fixture);
  for (let round = 0; round < 10; round += 1) {
    const namespace = `n${round}`;
    await create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    const creates = Array.from({ length: 10 }, (_, index) => create(configMaps, configMap(`c${index}`, {}, { namespace })));
    const outcomes = await Promise.allSettled([...creates, remove(namespaces, namespace)]);
    const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [(outcome.reason as { code: string }).code] : []));
    // It is ending, or has ended already.
    t.true(
      codes.every((code) => code === 'TAP_OBJECT_FORBIDDEN' || code === 'TAP_OBJECT_NOT_FOUND'),
      codes.join(' '),
    );
    await rest(fixture);
    t.deepEqual(await names(configMaps), [], `round ${round}`);
    t.deepEqual(await names(namespaces), ['default']);
  }
  await collector.stop();
});

test('a namespace that the platform needs is not deleted', async (t) => {
  const { remove } = await startEngine();
  await t.throwsAsync(remove(namespaces, 'default'), { code: 'TAP_OBJECT_FORBIDDEN' });
});

test('a collector comes to the same end wherever it is stopped on the way', async (t) => {
  for (let pauses = 0; pauses < 12; pauses += 1) {
    const fixture = await startEngine();
    const { create, remove, names } = fixture;
    const root = objectOf(await create(widgets, widget('root')));
    const children: TestObject[] = [];
    for (let index = 0; index < 4; index += 1) {
      children.push(objectOf(await create(configMaps, owned(`c${index}`, children[index - 1] ?? root, { blockOwnerDeletion: true }))));
    }
    const propagationPolicy = pauses % 2 ? 'Foreground' : 'Background';
    await remove(widgets, 'default/root', { propagationPolicy });
    const first = collect(fixture);
    for (let pause = 0; pause < pauses; pause += 1) await Promise.resolve();
    await first.stop();
    const second = collect(fixture);
    await rest(fixture);
    t.deepEqual([...(await names(configMaps)), ...(await names(widgets))], [], `${propagationPolicy} after ${pauses}`);
    await second.stop();
  }
});

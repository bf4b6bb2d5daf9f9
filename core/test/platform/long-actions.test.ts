import test from 'ava';
import type { Key, Resources } from '@tappaas/sdk';
import { Operation, type OperationObject } from '@tappaas/sdk/kinds';
import { coreKinds } from '../../dist/resources/kinds/kernel-kinds.js';
import { createLongActions } from '../../dist/platform/operations/long-actions.js';
import { expiredOperations, keepOperationsFew, retention } from '../../dist/platform/operations/operation-retention.js';
import { quietLog } from '../api/running-server.ts';
import { never, objectOf, startEngine, Widget, widget, widgets } from '../resources/engine-fixture.ts';

async function start() {
  const kinds = [...coreKinds(), { kind: Widget, plugin: 'widgets' }, { kind: Operation, plugin: 'kernel' }];
  const fixture = await startEngine({ kinds });
  const resources = fixture.engine.client({
    caller: { name: 'system:tappaas', groups: [] },
    fieldManager: 'tappaas',
    requestId: 'r',
    signal: never,
    authorize: () => undefined,
    showsSecrets: true,
  });
  const target = objectOf(await fixture.create(widgets, widget('a')));
  const actions = () => createLongActions({ resources, clock: fixture.clock, log: quietLog, replica: 'r0' });
  const begun = { verb: 'fill', on: Widget, target, caller: { name: 'ann', groups: [] }, requestId: 'r1' };
  return { ...fixture, resources, actions, begun };
}

const untilAborted = ({ signal }: { signal: AbortSignal }) =>
  new Promise<object>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')));
  });

test('a stop aborts what runs, waits for it, and says so', async (t) => {
  const { actions, begun, resources } = await start();
  const running = actions();
  const { metadata } = await running.begin({ ...begun, run: untilAborted });
  await running.stop();
  const { status } = (await resources.get(Operation, metadata)) ?? {};
  t.deepEqual([status?.phase, status?.error], ['Failed', 'the platform stopped while it ran']);
  await t.throwsAsync(running.begin({ ...begun, run: untilAborted }), { code: 'TAP_ACTIONS_TOO_MANY' });
});

for (const [how, end] of [
  ['cancelled', (resources: Resources, key: Key) => resources.patch(Operation, key, { spec: { cancelled: true } })],
  ['deleted', (resources: Resources, key: Key) => resources.delete(Operation, key)],
] as const) {
  test(`an action whose operation is ${how} while it begins is aborted`, async (t) => {
    const { actions, begun, resources, clock } = await start();
    const create = resources.create.bind(resources);
    let isHasty = false;
    const hasty = async (...args: Parameters<typeof create>) => {
      const made = (await create(...args)) as OperationObject;
      if (isHasty) await end(resources, made.metadata);
      // Whoever follows operations has heard of it by then.
      await clock.advance(10);
      return made;
    };
    Object.assign(resources, { create: hasty });
    const running = actions();
    await running.begin({ ...begun, run: untilAborted });
    isHasty = true;
    let aborted: unknown;
    const run = async ({ signal }: { readonly signal: AbortSignal }): Promise<object> =>
      untilAborted({ signal }).finally(() => (aborted = signal.reason));
    await running.begin({ ...begun, run });
    await clock.advance(10);
    t.is(aborted, 'it was cancelled');
    await running.stop();
  });
}

test('what a replica left running when it was killed is told as failed by its next start, of others nothing', async (t) => {
  const { actions, begun, resources } = await start();
  const { metadata } = await actions().begin({ ...begun, run: untilAborted });
  const next = actions();
  const { metadata: own } = await next.begin({ ...begun, run: untilAborted });
  await next.closeInterrupted();
  t.is((await resources.get(Operation, metadata))?.status?.phase, 'Failed');
  t.is((await resources.get(Operation, own))?.status?.phase, 'Running');
  await next.stop();
});

test('an action that takes longer than an hour is aborted', async (t) => {
  const { actions, begun, resources, clock } = await start();
  const running = actions();
  const { metadata } = await running.begin({ ...begun, run: untilAborted });
  await clock.advance(3_600_000);
  const { status } = (await resources.get(Operation, metadata)) ?? {};
  t.deepEqual([status?.phase, status?.error], ['Failed', 'it took longer than 60 minutes']);
  await running.stop();
});

const ended = (name: string, endMs: number): OperationObject =>
  ({ metadata: { name }, status: { phase: 'Succeeded', completionTime: new Date(endMs).toISOString() } }) as unknown as OperationObject;
const namesOf = (operations: readonly { metadata: { name: string } }[]) => operations.map(({ metadata }) => metadata.name);

test('operations are kept for 30 days after they ended', (t) => {
  const nowMs = Date.UTC(2027, 0, 31);
  const day = 24 * 3_600_000;
  t.deepEqual(namesOf(expiredOperations([ended('old', nowMs - 30 * day - 1), ended('young', nowMs - 30 * day)], nowMs)), ['old']);
});

test('of one namespace the newest thousand are kept, and what still runs always', (t) => {
  const running = { metadata: { name: 'running' }, status: { phase: 'Running' } } as unknown as OperationObject;
  const many = Array.from({ length: retention.perNamespaceMax }, (_, index) => ended(`o${index}`, 1_000 + index));
  t.deepEqual(namesOf(expiredOperations([running, ...many], 10_000)), ['o0']);
});

test('expired operations are removed in rounds', async (t) => {
  const { create, engine, clock, resources } = await start();
  const operations = { group: Operation.group, version: Operation.version, plural: 'operations' };
  const metadata = { name: 'old', namespace: 'default' };
  const spec = { verb: 'fill', target: { group: '', kind: 'X', name: 'x', uid: 'u' } };
  await create(operations, { apiVersion: 'ops.tappaas.dev/v1alpha1', kind: 'Operation', metadata, spec });
  await resources.patch(
    Operation,
    metadata,
    { status: ended('old', clock.nowMs() - retention.ageMsMax).status },
    { subresource: 'status' },
  );
  const stop = new AbortController();
  const list = async () => (await engine.list({ target: { kind: operations }, signal: never })).items.map(({ object }) => object);
  const cached = await list();
  const following = { list: () => cached } as unknown as Parameters<typeof keepOperationsFew>[0]['operations'];
  const keeping = keepOperationsFew({ operations: following, resources, clock, log: quietLog, signal: stop.signal });
  await clock.advance(retention.everyMs - 1);
  t.is((await list()).length, 1);
  await clock.advance(1);
  t.deepEqual(await list(), []);
  stop.abort();
  await keeping;
});

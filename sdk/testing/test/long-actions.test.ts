import test from 'ava';
import { defineKind, definePlugin, Type, type ActionContext } from '@tappaas/sdk';
import { Operation, type OperationObject } from '@tappaas/sdk/kinds';
import { load, startTestKernel, type TestKernel } from '@tappaas/testing';

const Cellar = defineKind({
  group: 'test.acme.dev',
  kind: 'Cellar',
  plural: 'cellars',
  version: 'v1alpha1',
  scope: 'Namespaced',
  description: 'Where things ripen.',
  spec: Type.Object({}),
  status: Type.Object({}),
});

type Handle = (input: { readonly bottles: number }, context: ActionContext) => Promise<{ filled: number; by: string }>;

const cellar = (handle: Handle) =>
  definePlugin({
    id: 'cellar',
    permissions: { resources: [{ kind: Cellar, verbs: ['get'] }] },
    setup(host) {
      host.kind(Cellar);
      host.action({
        on: Cellar,
        name: 'fill',
        description: 'Fills it.',
        long: true,
        input: Type.Object({ bottles: Type.Integer({ minimum: 1, default: 6 }) }),
        output: Type.Object({ filled: Type.Integer(), by: Type.String() }),
        handle: ({ input }, context) => handle(input, context),
      });
      host.action({
        on: Cellar,
        name: 'taste',
        description: 'Tastes.',
        input: Type.Object({}),
        output: Type.Object({ taste: Type.String() }),
        handle: async () => ({ taste: 'good' }),
      });
    },
  });

async function start(handle: Handle) {
  const kernel = await startTestKernel({ plugins: [load(cellar(handle))] });
  await kernel.resources.create(Cellar, { metadata: { name: 'deep', namespace: 'default' }, spec: {} });
  return kernel;
}

const deep = '/apis/test.acme.dev/v1alpha1/namespaces/default/cellars/deep';
const fill = (kernel: TestKernel, body = '{}', query = '', headers = {}) =>
  kernel.http('POST', `${deep}/fill${query}`, body, { 'content-type': 'application/json', ...headers });

async function until(kernel: TestKernel, name: string, holds: (operation: OperationObject) => boolean): Promise<OperationObject> {
  for await (const changes of kernel.resources.watch(Operation, { signal: AbortSignal.timeout(60_000) })) {
    for (const { object } of changes)
      if (object.metadata.name === name && holds(object as OperationObject)) return object as OperationObject;
  }
  throw new Error(`${name} never came to it`);
}

test('a long action is answered 202 with its operation, and goes on until its result', async (t) => {
  const goOn = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  await using kernel = await start(async ({ bottles }, context) => {
    context.progress('pour', 50);
    begun.resolve();
    await goOn.promise;
    context.progress('pour', 100);
    return { filled: bottles, by: context.caller.name };
  });
  const { status, text } = await fill(kernel);
  t.is(status, 202, text);
  const { metadata, spec } = JSON.parse(text) as OperationObject;
  t.like(spec, { verb: 'fill', target: { kind: 'Cellar', name: 'deep' } });
  await begun.promise;
  // Progress is collected for a moment before it is written.
  await kernel.advance(1_000);
  const running = await until(kernel, metadata.name, (operation) => operation.status?.steps?.[0]?.percent === 50);
  t.is(running.status?.phase, 'Running');
  goOn.resolve();
  const { status: after } = await until(kernel, metadata.name, (operation) => operation.status?.completionTime !== undefined);
  t.deepEqual([after?.phase, after?.percent, after?.result], ['Succeeded', 100, { filled: '6', by: 'test' }]);
  t.is(after?.steps?.[0]?.phase, 'Succeeded');
});

test('a long action that is cancelled is told so by its signal', async (t) => {
  let wasAborted = false;
  await using kernel = await start(async (_, { signal }) => {
    await new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        wasAborted = true;
        reject(new Error('stopped'));
      });
    });
    throw new Error('unreachable');
  });
  const { metadata } = JSON.parse((await fill(kernel)).text) as OperationObject;
  await kernel.resources.patch(Operation, metadata, { spec: { cancelled: true } });
  const { status } = await until(kernel, metadata.name, (operation) => operation.status?.completionTime !== undefined);
  t.deepEqual([status?.phase, status?.error, wasAborted], ['Cancelled', 'it was cancelled', true]);
});

test('a long action that fails is told with its error', async (t) => {
  await using kernel = await start(() => Promise.reject(new Error('the cork is stuck')));
  const { metadata } = JSON.parse((await fill(kernel)).text) as OperationObject;
  const { status } = await until(kernel, metadata.name, (operation) => operation.status?.completionTime !== undefined);
  t.is(status?.phase, 'Failed');
  t.regex(status?.error ?? '', /cork is stuck/);
});

test('mistakes in the input are answered at once, and a dry run begins nothing', async (t) => {
  await using kernel = await start(async ({ bottles }) => ({ filled: bottles, by: 'nobody' }));
  const wrong = await fill(kernel, '{"bottles":"many"}');
  t.is(wrong.status, 422);
  t.regex(wrong.text, /bottles/);
  const unknown = await fill(kernel, '{"boxes":1}');
  t.is(unknown.status, 422);
  t.regex(unknown.text, /boxes: .*unknown field/);
  const dry = await fill(kernel, '{"bottles":3}', '?dryRun=All');
  t.deepEqual([dry.status, JSON.parse(dry.text)], [200, { filled: 3, by: 'nobody' }]);
  const missing = await kernel.http('POST', '/apis/test.acme.dev/v1alpha1/namespaces/default/cellars/none/fill', '{}');
  t.is(missing.status, 404);
  const operations: unknown[] = [];
  for await (const operation of kernel.resources.list(Operation, { itemsMax: 10 })) operations.push(operation);
  t.deepEqual(operations, []);
});

test('one namespace cannot have more long actions running than its share', async (t) => {
  const goOn = Promise.withResolvers<{ filled: number; by: string }>();
  await using kernel = await start(() => goOn.promise);
  const statuses = (await Promise.all(Array.from({ length: 22 }, () => fill(kernel)))).map(({ status }) => status);
  t.is(statuses.filter((status) => status === 202).length, 20);
  t.is(statuses.filter((status) => status === 429).length, 2);
  goOn.resolve({ filled: 1, by: 'x' });
});

test('a long action that is asked for again with its key is begun once, and answered with its operation as it is then', async (t) => {
  let calls = 0;
  await using kernel = await start(async ({ bottles }) => {
    calls += 1;
    return { filled: bottles, by: 'ann' };
  });
  const once = { 'idempotency-key': 'fill-1' };
  const first = await fill(kernel, '{"bottles":2}', '', once);
  t.is(first.status, 202, first.text);
  const { metadata } = JSON.parse(first.text) as OperationObject;
  await until(kernel, metadata.name, (operation) => operation.status?.phase === 'Succeeded');
  const again = await fill(kernel, '{"bottles":2}', '', once);
  const { metadata: same, status } = JSON.parse(again.text) as OperationObject;
  t.deepEqual([again.status, same.uid, status?.phase, calls], [202, metadata.uid, 'Succeeded', 1]);
  const other = await fill(kernel, '{"bottles":3}', '', once);
  t.is(other.status, 422);
  t.regex(other.text, /TAP_REQUEST_KEY_REUSED/);
  const together = await Promise.all(Array.from({ length: 5 }, () => fill(kernel, '{}', '', { 'idempotency-key': 'fill-2' })));
  t.is(new Set(together.map(({ text }) => (JSON.parse(text) as OperationObject).metadata.uid)).size, 1);
  t.is((await fill(kernel)).status, 202);
  const input = { namespace: 'default', name: 'deep', parameters: { bottles: 2 }, idempotencyKey: 'fill-1' };
  const query = 'mutation ($i: FillCellarInput!) { fillCellar(input: $i) { operation { metadata { uid } } userErrors { code } } }';
  const { fillCellar } = (await kernel.graphql(query, { i: input })) as { fillCellar: object };
  t.deepEqual(fillCellar, { operation: { metadata: { uid: metadata.uid } }, userErrors: [] });
  const before = calls;
  for (const [condition, code] of [
    [{ idempotencyKey: '' }, 'TAP_REQUEST_INVALID'],
    [{ expectedVersion: '' }, 'TAP_OBJECT_PRECONDITION'],
  ] as const) {
    const refused = await kernel.graphql(query, { i: { namespace: 'default', name: 'deep', parameters: { bottles: 2 }, ...condition } });
    t.deepEqual(
      refused,
      { fillCellar: { operation: null, userErrors: [{ code }] } },
      'an empty condition is one that does not hold, and not none',
    );
  }
  t.is(calls, before);
});

test('a mutation that leaves out what has a default is answered alike each time, also when its document is known', async (t) => {
  await using kernel = await start(async ({ bottles }) => ({ filled: bottles, by: 'ann' }));
  const query = 'mutation ($i: FillCellarInput!) { fillCellar(input: $i) { operation { kind } userErrors { code } } }';
  const input = { namespace: 'default', name: 'deep', parameters: { bottles: 2 } };
  for (let time = 1; time <= 3; time += 1)
    t.deepEqual(await kernel.graphql(query, { i: input }), { fillCellar: { operation: { kind: 'Operation' }, userErrors: [] } }, `${time}`);
});

test('an action on another version than the one that If-Match names is not done; repeated, it is answered as it was', async (t) => {
  let calls = 0;
  await using kernel = await start(async ({ bottles }) => {
    calls += 1;
    return { filled: bottles, by: 'ann' };
  });
  const tagOf = async () => `"${(JSON.parse((await kernel.http('GET', deep)).text) as OperationObject).metadata.resourceVersion}"`;
  const stale = await fill(kernel, '{}', '', { 'if-match': '"1"' });
  t.is(stale.status, 412, stale.text);
  const retryHeaders = { 'if-match': await tagOf(), 'idempotency-key': 'fill' };
  const first = await fill(kernel, '{}', '', retryHeaders);
  t.is(first.status, 202, first.text);
  await kernel.resources.patch(Cellar, { namespace: 'default', name: 'deep' }, { metadata: { labels: { full: 'yes' } } });
  t.is((await fill(kernel, '{}', '', retryHeaders)).text.includes(JSON.parse(first.text).metadata.uid), true);
  t.is((await fill(kernel, '{}', '', { 'if-match': retryHeaders['if-match'] })).status, 412);
  t.is((await fill(kernel, '{}', '', { 'if-match': 'nonsense' })).status, 400);
  t.is((await fill(kernel, '{}', '', { 'if-none-match': '*' })).status, 400);
  t.is((await fill(kernel, '{}', '?dryRun=All', { 'if-match': '"1"' })).status, 412);
  t.is(calls, 1);
});

test('a key is refused by an action that is answered at once, since its answer is not kept', async (t) => {
  await using kernel = await start(async () => ({ filled: 1, by: 'ann' }));
  const taste = (headers: Record<string, string>) => kernel.http('POST', `${deep}/taste`, '{}', headers);
  const { status, text } = await taste({ 'idempotency-key': 'a' });
  t.is(status, 400, text);
  t.regex(text, /TAP_REQUEST_HEADER_INVALID.*taste|taste.*TAP_REQUEST_HEADER_INVALID/);
  t.is((await taste({})).status, 200);
  t.is((await taste({ 'if-match': '"1"' })).status, 412);
});

import { definePlugin, defineService, hooks, type Context, type Span } from '@tappaas/sdk';
import { Application } from '@tappaas/sdk/kinds';
import test from 'ava';
import { assert, pre, property, stringMatching } from 'fast-check';
import { readTraceParent, traceParentText } from '../../dist/kernel/tracing/trace-parent.js';
import { request, selector, start } from './fixture.ts';

const trace = '0af7651916cd43dd8448eb211c80319c';
const parent = 'b7ad6b7169203331';

interface Greeter {
  greet(context: Context): Promise<string>;
}
const Greeting = defineService<Greeter>({ id: 'acme/greeting', contract: 1 });

/** Asks a service on the way, and notes how it would name itself to others. */
const asking = (seen: (string | undefined)[]) =>
  definePlugin({
    id: 'asking',
    needs: { greeting: Greeting },
    setup(host, _config, { greeting }) {
      host.tap(hooks.admission.validate, { kinds: [Application] }, async ({ object }, context) => {
        seen.push(context.traceparent);
        if (object.metadata.name === 'bad') throw new Error('a secret of the caller');
        await greeting.greet(context);
      });
    },
  });

const greeting = definePlugin({
  id: 'greeting',
  setup: (host) => host.provide(Greeting, () => ({ greet: async ({ traceparent }) => traceparent ?? 'untraced' })),
});

const listening = (reported: Span[]) =>
  definePlugin({ id: 'listening', setup: (host) => host.tap(hooks.telemetry.span, {}, (span) => void reported.push(span)) });

test('what plugins do within traced work is told as its parts, also what they ask of one another', async (t) => {
  const [reported, seen]: [Span[], (string | undefined)[]] = [[], []];
  let next = 0;
  const { kernel } = await start(
    [
      { id: 'greeting', plugin: greeting },
      { id: 'asking', plugin: asking(seen) },
      { id: 'listening', plugin: listening(reported) },
    ],
    { random: () => ((next += 1) % 1000) / 1000 },
  );
  const { tracing } = kernel;
  t.true(tracing.isListened);
  const root = tracing.begin({ traceId: trace, spanId: parent });
  await tracing.run(root, () => kernel.hooks.gate(hooks.admission.validate, selector, request()));
  root.end({ name: 'root', startMs: 0, endMs: 5, attributes: { answer: 42 } });
  t.deepEqual(
    reported.map(({ name, traceId, attributes }) => [name, traceId, attributes['tappaas.plugin']]),
    [
      ['acme/greeting.greet', trace, 'greeting'],
      ['admission.validate', trace, 'asking'],
      ['root', trace, undefined],
    ],
  );
  const [inner, outer, whole] = reported;
  t.is(whole?.parentSpanId, parent);
  t.is(outer?.parentSpanId, whole?.spanId);
  t.is(inner?.parentSpanId, outer?.spanId);
  t.is(new Set(reported.map(({ spanId }) => spanId)).size, 3);
  t.deepEqual(seen, [`00-${trace}-${outer?.spanId}-01`]);
  t.true(reported.every(({ startMs, endMs }) => endMs >= startMs));
  await kernel.stop();
});

test('a part that fails tells the code of its error and nothing that it says', async (t) => {
  const reported: Span[] = [];
  const { kernel } = await start([
    { id: 'greeting', plugin: greeting },
    { id: 'asking', plugin: asking([]) },
    { id: 'listening', plugin: listening(reported) },
  ]);
  const bad = { ...request(), object: { ...request().object, metadata: { name: 'bad', namespace: 'team' } } };
  const root = kernel.tracing.begin();
  await kernel.tracing.run(root, () => kernel.hooks.gate(hooks.admission.validate, selector, bad as never));
  t.deepEqual(
    reported.map(({ name, error }) => [name, error]),
    [['admission.validate', 'TAP_PLUGIN_FAILED']],
  );
  t.false(JSON.stringify(reported).includes('secret'));
  await kernel.stop();
});

test('what is not within traced work is not told, and nothing is while nobody listens', async (t) => {
  const [reported, seen]: [Span[], (string | undefined)[]] = [[], []];
  const { kernel } = await start([
    { id: 'greeting', plugin: greeting },
    { id: 'asking', plugin: asking(seen) },
    { id: 'listening', plugin: listening(reported) },
  ]);
  await kernel.hooks.gate(hooks.admission.validate, selector, request());
  t.deepEqual([reported, seen], [[], [undefined]]);
  await kernel.stop();
  const deaf = await start([
    { id: 'greeting', plugin: greeting },
    { id: 'asking', plugin: asking(seen) },
  ]);
  t.false(deaf.kernel.tracing.isListened);
  await deaf.kernel.tracing.run(deaf.kernel.tracing.begin(), () => deaf.kernel.hooks.gate(hooks.admission.validate, selector, request()));
  t.deepEqual(seen, [undefined, undefined]);
  await deaf.kernel.stop();
});

test('work that continues after its traced call has ended is not part of the trace', async (t) => {
  const reported: Span[] = [];
  const { kernel } = await start([
    { id: 'greeting', plugin: greeting },
    { id: 'listening', plugin: listening(reported) },
  ]);
  const service = await kernel.services.whenProvided(Greeting);
  const ended = Promise.withResolvers<void>();
  const loop = async (): Promise<readonly string[]> => {
    const before = await service.greet(kernel.platformContext());
    await ended.promise;
    return [before, await service.greet(kernel.platformContext())];
  };
  const root = kernel.tracing.begin();
  const requested = kernel.tracing.run(root, loop);
  root.end({ name: 'root', startMs: 0, endMs: 1, attributes: {} });
  ended.resolve();
  const [before, after] = await requested;
  t.regex(before ?? '', new RegExp(`^00-${root.traceId}`));
  t.is(after, 'untraced');
  t.deepEqual(
    reported.map(({ name }) => name),
    ['root', 'acme/greeting.greet'],
  );
  await kernel.stop();
});

test('a listener that fails ends nothing of what is traced', async (t) => {
  const failing = definePlugin({
    id: 'failing',
    setup: (host) =>
      host.tap(hooks.telemetry.span, {}, () => {
        throw new Error('the exporter is full');
      }),
  });
  const { kernel } = await start([
    { id: 'greeting', plugin: greeting },
    { id: 'failing', plugin: failing },
  ]);
  const service = await kernel.services.whenProvided(Greeting);
  const { tracing } = kernel;
  const ended = tracing.run(tracing.begin(), () => service.greet(kernel.platformContext()));
  t.regex(await ended, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  await kernel.stop();
});

test('what a listener begins when it is told of a span is no part of the trace', async (t) => {
  const reported: string[] = [];
  const sent: Promise<string>[] = [];
  const sending = definePlugin({
    id: 'sending',
    needs: { greeting: Greeting },
    setup(host, _config, { greeting: receiver }) {
      host.tap(hooks.telemetry.span, {}, ({ name }) => {
        if (reported.push(name) > 3) return;
        setImmediate(() => sent.push(receiver.greet({} as Context)));
      });
    },
  });
  const { kernel } = await start([
    { id: 'greeting', plugin: greeting },
    { id: 'sending', plugin: sending },
  ]);
  const { tracing } = kernel;
  const service = await kernel.services.whenProvided(Greeting);
  await tracing.run(tracing.begin(), () => service.greet(kernel.platformContext()));
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
  t.is(sent.length, 1);
  await Promise.allSettled(sent);
  t.deepEqual(reported, ['acme/greeting.greet']);
  await kernel.stop();
});

test('a traceparent header is read as the specification says, and nothing else is taken for one', (t) => {
  t.deepEqual(readTraceParent(`00-${trace}-${parent}-01`), { traceId: trace, spanId: parent, isSampled: true });
  t.deepEqual(readTraceParent(`00-${trace}-${parent}-00`), { traceId: trace, spanId: parent, isSampled: false });
  t.is(readTraceParent(`00-${trace}-${parent}-03`)?.isSampled, true);
  t.is(readTraceParent(`cc-${trace}-${parent}-01-more`)?.traceId, trace);
  for (const wrong of [
    '',
    trace,
    `ff-${trace}-${parent}-01`,
    `00-${trace}-${parent}-01-more`,
    `00-${'0'.repeat(32)}-${parent}-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `00-${trace.toUpperCase()}-${parent}-01`,
    `00-${trace}-${parent}-1`,
    `00-${trace}-${parent}-01, 00-${trace}-${parent}-01`,
  ])
    t.is(readTraceParent(wrong), undefined, wrong);
  assert(
    property(stringMatching(/^[0-9a-f]{32}$/), stringMatching(/^[0-9a-f]{16}$/), (traceId, spanId) => {
      pre(/[^0]/.test(traceId) && /[^0]/.test(spanId));
      t.deepEqual(readTraceParent(traceParentText({ traceId, spanId })), { traceId, spanId, isSampled: true });
    }),
  );
});

/** GraphQL subscriptions over connections that break at any byte: no event is lost or delivered twice. */
import { Application } from '@tappaas/sdk/kinds';
import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { parse } from 'graphql';
import { createClient, type Client, type TypedDocument } from '@tappaas/client';
import {
  application,
  kindPaths,
  startGraphql,
  type GraphqlServer,
  type GraphqlServerOptions,
} from '../../../core/test/api/graphql/graphql-server.ts';
import { BackOff } from '../dist/back-off.js';
import { flowErrors } from '../../../core/dist/flow/errors.js';
import { startFlakyProxy, type Fault, type FlakyProxy } from './flaky-proxy.ts';

interface Changes {
  readonly applicationChanges: {
    readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
    readonly resourceVersion: string;
    readonly object: {
      readonly name: string;
      readonly metadata: { readonly labels: readonly { readonly key: string; readonly value: string }[] };
    } | null;
  };
}

const changes = `subscription C($since: String, $bookmarks: Boolean) {
  applicationChanges(namespace: "team", since: $since, bookmarks: $bookmarks) { type resourceVersion object { name metadata { labels { key value } } } }
}`;
const whole: Fault = { bytesMax: Infinity, delayMs: 0 };
const key = { namespace: 'team', name: 'shop' };

interface Parts {
  readonly server: GraphqlServer;
  /** Writes directly, not through the proxy. */
  readonly writer: Client;
  /** Follows through the proxy. */
  readonly reader: Client;
  readonly proxy: FlakyProxy;
}

async function parts(t: ExecutionContext, faultOf: (connection: number) => Fault, options: GraphqlServerOptions = {}): Promise<Parts> {
  const server = await startGraphql(t, options);
  const proxy = await startFlakyProxy(server.port, faultOf);
  const writer = createClient({ server: `http://127.0.0.1:${server.port}`, token: 'admin' });
  const reader = createClient({ server: proxy.url, token: 'admin' });
  t.teardown(async () => {
    await Promise.all([writer.close(), reader.close()]);
    await proxy.close();
  });
  return { server, writer, reader, proxy };
}

/** The resourceVersion of the present list. */
async function pageVersion(client: Client): Promise<string> {
  const query = '{ applications(namespace: "team") { resourceVersion } }';
  return (await client.graphql<{ applications: { resourceVersion: string } }>({ query })).applications.resourceVersion;
}

/** Changes a label of one application `count` times. */
async function write(client: Client, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1)
    await client.of(Application).patch(key, { metadata: { labels: { index: String(index) } } });
}

const indexOf = ({ object }: Changes['applicationChanges']): string =>
  object?.metadata.labels.find((label) => label.key === 'index')?.value ?? '';

async function follow(client: Client, since: string, count: number): Promise<string[]> {
  const received: string[] = [];
  for await (const { applicationChanges } of client.subscribe<Changes>(changes, { since }, { signal: new AbortController().signal })) {
    received.push(indexOf(applicationChanges));
    if (received.length === count) break;
  }
  return received;
}

const indices = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));
const faults = fc.array(fc.record({ bytesMax: fc.integer({ min: 1, max: 3000 }), delayMs: fc.constantFrom(0, 0, 5) }), { maxLength: 6 });

test('a subscription through breaking connections tells every change once and in order', async (t) => {
  t.timeout(180_000);
  await fc.assert(
    fc.asyncProperty(faults, async (drawn) => {
      const { server, writer, reader } = await parts(t, (connection) => drawn[connection] ?? whole);
      await server.put(kindPaths.applications, application('shop'));
      const following = follow(reader, await pageVersion(writer), 40);
      await write(writer, 40);
      t.deepEqual(await following, indices(40));
    }),
    { numRuns: 6 },
  );
});

test('many cuts one after the other lose nothing', async (t) => {
  t.timeout(120_000);
  const { server, writer, reader, proxy } = await parts(t, (connection) =>
    connection < 12 ? { bytesMax: 600 + 100 * connection, delayMs: 0 } : whole,
  );
  await server.put(kindPaths.applications, application('shop'));
  const since = await pageVersion(writer);
  await write(writer, 60);
  t.deepEqual(await follow(reader, since, 60), indices(60));
  t.true(proxy.cuts() >= 12);
});

test('one that begins with what is there goes on behind its first bookmark', async (t) => {
  const { server, writer, reader, proxy } = await parts(t, () => whole);
  await server.put(kindPaths.applications, application('shop'));
  const over = new AbortController();
  const events = reader.subscribe<Changes>(changes, { bookmarks: true }, { signal: over.signal });
  const next = async () => (await events.next()).value.applicationChanges.type;
  t.deepEqual([await next(), await next()], ['ADDED', 'BOOKMARK']);
  proxy.cut();
  await write(writer, 1);
  t.is(await next(), 'MODIFIED');
  over.abort();
  t.true((await events.next()).done);
});

test('what breaks before its place is known, or has none, ends with an error that says to read anew', async (t) => {
  const { server, reader, proxy } = await parts(t, () => whole);
  await server.put(kindPaths.applications, application('shop'));
  const { signal } = new AbortController();
  const placeless = 'subscription { applicationChanges(namespace: "team") { type } }';
  for (const document of [changes, placeless]) {
    const events = reader.subscribe<Changes>(document, {}, { signal });
    t.is((await events.next()).value.applicationChanges.type, 'ADDED');
    proxy.cut();
    await t.throwsAsync(events.next(), { name: 'ResumeError', message: /read anew/ });
  }
  const restarting = reader.subscribe<Changes>(placeless, {}, { signal, resume: 'anew' });
  t.is((await restarting.next()).value.applicationChanges.type, 'ADDED');
  proxy.cut();
  t.is((await restarting.next()).value.applicationChanges.type, 'ADDED');
  await restarting.return(undefined);
});

test('history that is gone is an error that says to list again', async (t) => {
  const { reader } = await parts(t, () => whole);
  const { signal } = new AbortController();
  await t.throwsAsync(reader.subscribe<Changes>(changes, { since: '999999999' }, { signal }).next(), {
    name: 'ResumeError',
    message: /999999999.*list again/,
  });
});

test('what another try would not change ends it with the words of the platform', async (t) => {
  const { server, reader } = await parts(t, () => whole);
  const { signal } = new AbortController();
  await t.throwsAsync(reader.subscribe('subscription { nothing }', {}, { signal }).next(), { name: 'GraphQlError', message: /nothing/ });
  const unauthenticated = createClient({ server: `http://127.0.0.1:${server.port}`, token: 'unknown' });
  t.teardown(() => unauthenticated.close());
  await t.throwsAsync(unauthenticated.subscribe(changes, {}, { signal }).next(), { name: 'ApiError', message: /token/ });
});

test('a subscription that finds no room comes again until there is some, and no other one is touched', async (t) => {
  const refused: string[] = [];
  let isFull = false;
  let connections = 0;
  const flow: GraphqlServerOptions['flow'] = ({ caller, stream, verb }) => {
    if (isFull && stream && caller.name === 'admin') {
      refused.push(verb);
      // The first refusal happens when the connection is opened, the next one when it subscribes.
      isFull = refused.length < 4;
      if (refused.length !== 2) throw flowErrors.TAP_FLOW_FULL({ message: 'as many streams as may run', retryAfterMs: 1 });
    }
    return { release: () => {} };
  };
  const count = (): Fault => {
    connections += 1;
    return whole;
  };
  const { server, writer, reader, proxy } = await parts(t, count, { flow });
  await server.put(kindPaths.applications, application('shop'));
  const since = await pageVersion(writer);
  const { signal } = new AbortController();
  const steady = reader.subscribe<Changes>(changes, { since }, { signal });
  const first = steady.next();
  await write(writer, 1);
  t.is((await first).value.applicationChanges.type, 'MODIFIED');
  isFull = true;
  const late = reader.subscribe<Changes>(changes, {}, { signal });
  const begun = late.next();
  const second = steady.next();
  await write(writer, 2);
  t.is(indexOf((await second).value.applicationChanges), '1');
  t.is((await begun).value.applicationChanges.type, 'ADDED');
  t.deepEqual(refused, ['get', 'get', 'watch', 'get']);
  t.deepEqual([connections, proxy.cuts()], [5, 0]);
  await Promise.all([steady.return(undefined), late.return(undefined)]);
});

test('waits grow up to a bound, are random on top of what was asked for, and never longer than an hour', async (t) => {
  const waits: number[] = [];
  let chance = 0;
  const sleep = async (ms: number): Promise<void> => void waits.push(ms);
  const backOff = new BackOff({ nowMs: () => 0, random: () => chance, sleep });
  const { signal } = new AbortController();
  for (chance of [0, 1]) await backOff.wait(signal, 1000);
  t.deepEqual(waits.splice(0), [1125, 1500]);
  for (let index = 0; index < 20; index += 1) await backOff.wait(signal);
  t.is(waits.at(-1), 30_000);
  await backOff.wait(signal, Number.MAX_SAFE_INTEGER);
  t.is(waits.at(-1), 3_630_000);
  backOff.reset();
  chance = 0;
  await backOff.wait(signal);
  t.is(waits.at(-1), 125);
});

test('documents of code generators type what is told', async (t) => {
  const { server, reader } = await parts(t, () => whole);
  await server.put(kindPaths.applications, application('shop'));
  const document: TypedDocument<Changes, { since?: string }> = parse(changes);
  for await (const { applicationChanges } of reader.subscribe(document, {}, { signal: new AbortController().signal })) {
    t.is(applicationChanges.object?.name, 'shop');
    break;
  }
});

test('a subscription that is not taken from is bounded, and misses nothing once it is', async (t) => {
  t.timeout(120_000);
  const { server, writer, reader } = await parts(t, () => whole);
  await server.put(kindPaths.applications, application('shop'));
  const since = await pageVersion(writer);
  const events = reader.subscribe<Changes>(changes, { since }, { signal: new AbortController().signal });
  const first = events.next();
  const count = 1300;
  await write(writer, count);
  const received = [await first];
  while (received.length < count) received.push(await events.next());
  t.deepEqual(
    received.map(({ value }) => indexOf(value.applicationChanges)),
    indices(count),
  );
  await events.return(undefined);
});

/** The function that gives the token may hang or fail: requests wait for it for a limited time, and report its own error. */
import test, { type ExecutionContext } from 'ava';
import { clientOn, type Client } from '../dist/client.js';
import { realDevices } from '../dist/devices.js';
import { nodeTransport } from '../dist/node-transport.js';
import { UnreachableError } from '../dist/errors.js';
import { startRealServer } from '../../../core/test/api/real-server.ts';

interface Given {
  readonly client: Client;
  /** Aborts at the end of the test. */
  readonly signal: AbortSignal;
}

/** Devices on which the time limit for a token expires at once. */
const hasty = { ...realDevices, sleep: (ms: number, signal: AbortSignal) => realDevices.sleep(ms === 30_000 ? 1 : ms, signal) };

async function given(t: ExecutionContext, token: (good: string) => string | Promise<string>, devices = realDevices): Promise<Given> {
  const server = await startRealServer();
  const over = new AbortController();
  const options = { server: server.url, token: () => token(server.token), attemptsMax: 1 };
  const client = clientOn(nodeTransport(undefined), options, devices);
  t.teardown(async () => {
    over.abort();
    await client.close();
    await server.close();
  });
  return { client, signal: over.signal };
}

const never = (): Promise<string> => new Promise(() => {});
const namespaces = '/api/v1/namespaces';
const room = { topic: 'objects', version: 'v1', plural: 'namespaces' } as const;
const subscription = 'subscription { applicationChanges { type } }';

test('a token that does not come is late, for requests and for lines', async (t) => {
  const { client, signal } = await given(t, never, hasty);
  const late = { instanceOf: UnreachableError };
  t.is((await t.throwsAsync(client.json(namespaces), late)).reason, 'deadline');
  t.is((await t.throwsAsync(client.lines(namespaces, signal).next(), late)).reason, 'deadline');
});

test('a request gives up when its own time is over, or its signal aborts, whether there is a token or not', async (t) => {
  const { client } = await given(t, never);
  t.is((await t.throwsAsync(client.json(namespaces, { timeoutMs: 50 }), { instanceOf: UnreachableError })).reason, 'deadline');
  const over = new AbortController();
  const asking = client.json(namespaces, { signal: over.signal });
  const reason = new Error('enough');
  over.abort(reason);
  await t.throwsAsync(asking, { is: reason });
  const following = new AbortController();
  const next = client.subscribe<object>(subscription, {}, { signal: following.signal }).next();
  following.abort();
  t.true((await next).done);
});

test('a watch and a room whose token came too late once go on with the next one', async (t) => {
  let requested = 0;
  const { client, signal } = await given(t, (good) => ((requested += 1) % 2 === 1 ? never() : good), hasty);
  t.is((await client.watch(namespaces, { signal }).next()).value?.type, 'ADDED');
  t.is((await client.room(room, signal).next()).value?.type, 'ADDED');
  t.is(requested, 4);
});

test('what a giver of tokens throws is what the caller hears', async (t) => {
  const failure = new Error('the login has expired');
  const { client, signal } = await given(t, () => Promise.reject(failure));
  await t.throwsAsync(client.json(namespaces), { is: failure });
  await t.throwsAsync(client.watch(namespaces, { signal }).next(), { is: failure });
  await t.throwsAsync(client.subscribe<object>(subscription, {}, { signal }).next(), { is: failure });
  await t.throwsAsync(client.room(room, signal).next(), { is: failure });
  await t.throwsAsync(client.room(room, signal).next(), { is: failure }, 'and again');
});

test('a room ends with its client, whoever still waits for a token', async (t) => {
  const requested = Promise.withResolvers<void>();
  const { client, signal } = await given(t, () => {
    requested.resolve();
    return never();
  });
  const next = client.room(room, signal).next();
  await requested.promise;
  await client.close();
  t.deepEqual(await next, { done: true, value: undefined });
});

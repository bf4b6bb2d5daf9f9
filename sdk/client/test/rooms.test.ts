/** The one connection of all rooms of a client: after a refusal by the platform, and after it was closed. */
import test, { type ExecutionContext } from 'ava';
import { createClient, type Client } from '@tappaas/client';
import { startRealServer, type RealServer } from '../../../core/test/api/real-server.ts';

const namespaces = { topic: 'objects', version: 'v1', plural: 'namespaces' } as const;

async function parts(
  t: ExecutionContext,
  token: (server: RealServer) => string,
): Promise<{ readonly client: Client; readonly signal: AbortSignal }> {
  const server = await startRealServer();
  const over = new AbortController();
  const client = createClient({ server: server.url, token: () => token(server) });
  t.teardown(async () => {
    over.abort();
    await client.close();
    await server.close();
  });
  return { client, signal: over.signal };
}

test('after a refused token a room with a good one is joined', async (t) => {
  let isGood = false;
  const { client, signal } = await parts(t, ({ token }) => (isGood ? token : 'tapp_nobody'));
  await t.throwsAsync(client.room(namespaces, signal).next(), { name: 'ApiError' });
  await t.throwsAsync(client.room(namespaces, signal).next(), { name: 'ApiError' }, 'a second refusal is told, too');
  isGood = true;
  const { value } = await client.room(namespaces, signal).next();
  t.is(value.type, 'ADDED');
});

test('a closed client tells of no room', async (t) => {
  const { client, signal } = await parts(t, ({ token }) => token);
  await client.room(namespaces, signal).next();
  await client.close();
  t.deepEqual(await client.room(namespaces, signal).next(), { done: true, value: undefined });
});

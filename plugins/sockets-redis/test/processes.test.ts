import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { createClient } from '@tappaas/client';
import { startRealServer, type RealServer } from '../../../core/test/api/real-server.ts';
import { quietLog } from '../../../core/test/api/running-server.ts';
import { redisAdapter, type RedisAdapter } from '../dist/redis-adapter.js';
import { runsRedis, startRedis, type RedisServer } from './redis-server.ts';

const withRedis = runsRedis ? test : test.skip;

interface Process {
  readonly server: RealServer;
  readonly adapter: RedisAdapter;
}

async function startProcess(t: ExecutionContext, { url }: RedisServer, replica: string): Promise<Process> {
  const adapter = redisAdapter({ url, streamName: 'test', messagesMax: 1000, connectMsMax: 2000, log: quietLog });
  const api = { replica, metrics: () => `up_total ${replica.length}\n`, socketAdapter: () => adapter.open() };
  const server = await startRealServer({ api });
  t.teardown(async () => {
    await server.close();
    adapter.close();
  });
  return { server, adapter };
}

/** Follows metrics at one process until the pages of all wanted replicas arrive within one round. */
async function replicasReported({ server }: Process, wanted: readonly string[]): Promise<boolean> {
  const client = createClient({ server: server.url, token: server.token });
  const over = AbortSignal.timeout(60_000);
  const received = new Set<string>();
  try {
    for await (const message of client.room({ topic: 'metrics', names: ['up_total'] }, over)) {
      if (message.type === 'METRICS') received.add(message.replica);
      if (wanted.every((replica) => received.has(replica))) return true;
    }
    return false;
  } finally {
    await client.close();
  }
}

withRedis('a room of metrics shows every process, whichever the client is connected to', async (t) => {
  t.timeout(240_000);
  const redis = await startRedis();
  t.teardown(() => redis.remove());
  const [one, two] = [await startProcess(t, redis, 'one'), await startProcess(t, redis, 'two')];
  // A process opens its sockets with its first client.
  t.true(await replicasReported(two, ['two']));
  t.true(await replicasReported(one, ['one', 'two']));
  t.true(await replicasReported(two, ['one', 'two']));
});

withRedis('while Redis is away, each process goes on with what it knows, and joins the others again afterwards', async (t) => {
  t.timeout(120_000);
  const refused: unknown[] = [];
  const received = (error: unknown): void => void refused.push(error);
  process.on('unhandledRejection', received);
  t.teardown(() => void process.off('unhandledRejection', received));
  const redis = await startRedis();
  t.teardown(() => redis.remove());
  const [one, two] = [await startProcess(t, redis, 'one'), await startProcess(t, redis, 'two')];
  t.true(await replicasReported(two, ['two']));
  t.true(await replicasReported(one, ['one', 'two']));
  await redis.stop();
  t.true(await replicasReported(one, ['one']));
  await redis.start();
  t.true(await replicasReported(one, ['one', 'two']));
  await delay(50);
  t.deepEqual(refused, []);
});

withRedis('a process that finds no Redis stands alone, and serves its clients', async (t) => {
  const redis = await startRedis();
  await redis.remove();
  const alone = await startProcess(t, redis, 'alone');
  await t.throwsAsync(alone.adapter.open(), { code: 'SOCKETS_REDIS_UNREACHABLE' });
  t.true(await replicasReported(alone, ['alone']));
});

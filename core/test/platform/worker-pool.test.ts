import { EventEmitter } from 'node:events';
import { setImmediate as macrotask } from 'node:timers/promises';
import test from 'ava';
import type { LogLine } from '@tappaas/sdk';
import { VirtualClock } from '../virtual-clock.ts';
import type { PrimaryCalls, WorkerCalls } from '../../dist/platform/workers/calls.js';
import { ipcChannel, type IpcPort } from '../../dist/platform/workers/ipc-channel.js';
import { connectPeer } from '../../dist/platform/workers/peer.js';
import { WorkerPool } from '../../dist/platform/workers/worker-pool.js';
import type { WorkerProcess } from '../../dist/platform/workers/worker-process.js';
import { createMemoryStore } from '../../dist/store/memory-store.js';
import { ReadLeases } from '../../dist/store/remote/read-leases.js';

/** The two ends of a way between processes. */
function way(): readonly [IpcPort & { vanish(): void }, IpcPort] {
  const [here, there] = [new EventEmitter(), new EventEmitter()];
  let isOpen = true;
  const end = (own: EventEmitter, other: EventEmitter) => ({
    get connected() {
      return isOpen;
    },
    send(message: object, _: undefined, __: undefined, sent: (error: Error | null) => void) {
      queueMicrotask(() => {
        if (isOpen) other.emit('message', structuredClone(message));
        sent(null);
      });
      return true;
    },
    on: (event: 'message', listener: (message: unknown) => void) => own.on(event, listener),
    once: (event: 'disconnect', listener: () => void) => own.once(event, listener),
    disconnect: () => undefined,
    vanish() {
      isOpen = false;
      own.emit('disconnect');
    },
  });
  return [end(here, there), end(there, here)];
}

interface FakeWorker {
  readonly name: Promise<string>;
  versions: Readonly<Record<string, string>>;
  /** It serves. */
  serve(): Promise<void>;
  /** It serves, and has told no version before. */
  serveUntold(): Promise<void>;
  readonly die: (reason: string) => void;
  isFrozen: boolean;
  /** Ends only some time after it was ended. */
  isStuck: boolean;
  isAlive: boolean;
  isDrained: boolean;
  /** It is not over when it is drained. */
  hasStreams: boolean;
  /** It cannot read the administrator's new token. */
  isBroken: boolean;
  /** What it was told to take over. */
  readonly reported: string[];
}

function world(workers: number) {
  const clock = new VirtualClock();
  const born: FakeWorker[] = [];
  const log: (Pick<LogLine, 'message'> & { readonly error?: unknown })[] = [];
  const fork = (): WorkerProcess => {
    const [here, there] = way();
    const ended = Promise.withResolvers<string>();
    const die = (reason: string): void => {
      if (!worker.isAlive) return;
      worker.isAlive = false;
      here.vanish();
      ended.resolve(reason);
    };
    const answer = async (): Promise<void> => (worker.isFrozen ? new Promise(() => undefined) : undefined);
    const received = (what: string) => async (): Promise<void> => {
      worker.reported.push(what);
      return answer();
    };
    const own: WorkerCalls = {
      reload: received('reload'),
      revoked: answer,
      renew: received('renew'),
      rereadKeys: answer,
      forgetKind: received('forgetKind'),
      async rereadAdminToken() {
        await received('rereadAdminToken')();
        if (worker.isBroken) throw new Error('the store does not answer');
      },
      flowGrants: answer,
      alive: answer,
      metrics: async () => '',
      async drain() {
        worker.isDrained = true;
        if (!worker.hasStreams) die('exit code 0');
      },
    };
    const primary = connectPeer<WorkerCalls, PrimaryCalls>({ channel: ipcChannel(there, 'calls'), own, clock });
    const name = primary.call('begin').then((begun) => begun.name);
    name.catch(() => undefined);
    const worker: FakeWorker = {
      name,
      versions: { '@tappaas/core': '1.0.0', '@tappaas/store-sqlite': '1.0.0' },
      async serve() {
        await name;
        await primary.call('compareVersions', worker.versions);
        await primary.call('ready');
      },
      serveUntold: () => primary.call('ready'),
      die,
      isFrozen: false,
      isStuck: false,
      isAlive: true,
      isDrained: false,
      hasStreams: false,
      isBroken: false,
      reported: [],
    };
    born.push(worker);
    return Object.assign(here, { ended: ended.promise, kill: () => void (worker.isStuck || die('signal SIGKILL')) });
  };
  const fails = { fork: false };
  const desks = { open: 0 };
  const unused = async (): Promise<never> => Promise.reject(new Error('nobody calls this'));
  const pool = new WorkerPool({
    fork: () => {
      if (fails.fork) throw new Error('no process can be made');
      return fork();
    },
    workers,
    clock,
    store: createMemoryStore({ clock }),
    leases: new ReadLeases(clock),
    log: Object.fromEntries(
      ['debug', 'info', 'warn', 'error'].map((level) => [
        level,
        (message: string, fields?: object) => void log.push({ message, ...fields }),
      ]),
    ) as unknown as ConstructorParameters<typeof WorkerPool>[0]['log'],
    start: { configFile: '', directory: '', host: '', port: 0, metricsOf: '' },
    certificates: {} as never,
    versions: () => ({ '@tappaas/core': '1.0.0', '@tappaas/store-sqlite': '1.0.0' }),
    calls: new Proxy({}, { get: () => unused }) as never,
    desk: () => {
      desks.open += 1;
      return { calls: {} as never, close: () => void (desks.open -= 1) };
    },
    ownMetrics: async () => '',
    mergeMetrics: () => '',
  });
  const living = () => born.filter(({ isAlive }) => isAlive);
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await macrotask();
  };
  return { clock, pool, born, living, log, settled, desks, fails };
}

async function started(workers: number) {
  const made = world(workers);
  const starting = made.pool.start();
  await Promise.all(made.born.map((worker) => worker.serve()));
  await starting;
  return made;
}

test('a worker that dies while its successor starts has no second one', async (t) => {
  const { pool, born, living, clock, settled } = await started(1);
  pool.beginReplacing();
  await settled();
  t.is(born.length, 2);
  born[0]?.die('signal SIGKILL');
  await settled();
  await clock.advance(2_000);
  t.is(born.length, 2, 'nobody else is started meanwhile');
  await born[1]?.serve();
  await settled();
  await clock.advance(60_000);
  t.is(born.length, 2);
  t.deepEqual(living(), [born[1]]);
});

test('a process that cannot be made leaves nothing open that was meant for it', async (t) => {
  const { born, clock, settled, desks, fails } = await started(1);
  fails.fork = true;
  born[0]?.die('signal SIGKILL');
  await settled();
  for (let second = 0; second < 10; second += 1) {
    await clock.advance(1_000);
    await settled();
  }
  t.deepEqual([born.length, desks.open], [1, 0]);
  fails.fork = false;
  await clock.advance(60_000);
  await settled();
  t.deepEqual([born.length, desks.open], [2, 1]);
});

test('a worker that died and waits to be started again is not started twice by a replacement', async (t) => {
  const { pool, born, living, clock, settled } = await started(1);
  born[0]?.die('signal SIGKILL');
  await settled();
  pool.beginReplacing();
  await settled();
  t.is(living().length, 1);
  await born[1]?.serve();
  await settled();
  await clock.advance(60_000);
  t.is(living().length, 1);
});

test('a replacement that does not start leaves the old one serving', async (t) => {
  const { pool, born, living, settled } = await started(2);
  pool.beginReplacing();
  await settled();
  born[2]?.die('exit code 1');
  await settled();
  t.deepEqual(living(), [born[0], born[1]]);
  t.false(born[0]?.isDrained);
});

test('a worker of another version than the platform runs is refused by name, and the old one goes on serving', async (t) => {
  const versions = { '@tappaas/core': '1.0.0', '@tappaas/store-sqlite': '1.1.0', '@tappaas/of-workers-alone': '2.0.0' };
  const { pool, born, living, log, settled } = await started(1);
  pool.beginReplacing();
  await settled();
  const [old, next] = born;
  if (next === undefined) return t.fail('none was started');
  next.versions = versions;
  void next.serve();
  await settled();
  t.deepEqual(living(), [old]);
  t.false(old?.isDrained);
  const { message, error } = log.at(-1) ?? {};
  t.is(message, 'the workers of the API were not all replaced');
  t.like(error, { code: 'TAP_WORKER_VERSION', message: '@tappaas/store-sqlite 1.1.0 is installed and 1.0.0 runs' });
});

test('a worker that tells no version does not serve', async (t) => {
  const { pool, born, living, settled } = await started(1);
  pool.beginReplacing();
  await settled();
  const [old, next] = born;
  void next?.serveUntold();
  await settled();
  t.deepEqual(living(), [old]);
});

test('when the platform stops in the middle of a replacement, no process is left and nobody waits for one to start', async (t) => {
  const { pool, born, living, settled } = await started(2);
  pool.beginReplacing();
  await settled();
  const closing = pool.close();
  await settled();
  await closing;
  t.deepEqual(living(), []);
  t.is(born.length, 3);
});

test('workers that die again and again are started later each time, but never much later while nobody serves', async (t) => {
  const { born, living, clock, settled } = await started(2);
  const dieAll = async (): Promise<void> => {
    for (const worker of living()) worker.die('signal SIGKILL');
    await settled();
  };
  for (let round = 0; round < 6; round += 1) {
    await dieAll();
    await clock.advance(2_000);
    await settled();
    t.true(living().length >= 1, `round ${round}`);
    await Promise.all(living().map((worker) => worker.serve()));
    await settled();
  }
  await clock.advance(30_000);
  await Promise.all(living().map((worker) => worker.serve()));
  await settled();
  const before = born.length;
  living()[0]?.die('signal SIGKILL');
  await clock.advance(10_000);
  t.is(born.length, before, 'the other one serves');
  await clock.advance(20_000);
  t.is(born.length, before + 1);
});

test('a worker that answers nothing for half a minute is ended and another one started', async (t) => {
  const { born, living, clock, log, settled } = await started(2);
  await clock.advance(120_000);
  t.is(born.length, 2, 'who answers goes on');
  if (born[0] !== undefined) born[0].isFrozen = true;
  for (let seconds = 0; seconds < 40; seconds += 1) await clock.advance(1_000);
  await settled();
  t.false(born[0]?.isAlive);
  t.true(
    log.some(({ message }) => /worker w1 of the API has not answered for 30000 ms/.test(message)),
    JSON.stringify(log),
  );
  await clock.advance(2_000);
  await born[2]?.serve();
  t.is(await born[2]?.name, 'w1');
  t.is(living().length, 2);
});

test('a worker that does not start has ended before another one has its name', async (t) => {
  const { born, clock, settled } = await started(1);
  born[0]?.die('exit code 1');
  await settled();
  await clock.advance(2_000);
  t.is(born.length, 2);
  if (born[1] !== undefined) born[1].isStuck = true;
  await clock.advance(60_000);
  await settled();
  await clock.advance(60_000);
  t.is(born.length, 2, 'it was given up, and has not ended');
  born[1]?.die('signal SIGKILL');
  await settled();
  await clock.advance(30_000);
  t.is(await born[2]?.name, 'w1');
});

test('what changes while a worker starts, it takes over as soon as it serves, and the others at once', async (t) => {
  const { pool, born, settled } = await started(2);
  pool.beginReplacing();
  await settled();
  const [, second, successor] = born;
  await successor?.name;
  await pool.renew({} as never);
  await pool.reload();
  await pool.forgetKind('sprockets.test.tappaas.dev');
  const all = ['renew', 'reload', 'forgetKind'];
  t.deepEqual(second?.reported, all);
  t.deepEqual(successor?.reported, [], 'it began with what was before, and does not serve yet');
  await successor?.serve();
  await settled();
  t.deepEqual(successor?.reported, all);
  t.deepEqual(born[3]?.reported, [], 'who begins later begins with what is now');
});

test('the administrator’s new token reaches workers that are being drained, and a worker that cannot read it is ended', async (t) => {
  const { pool, born, living, settled } = await started(1);
  const [old] = born;
  if (old === undefined) return t.fail('none was started');
  old.hasStreams = true;
  pool.beginReplacing();
  await settled();
  await born[1]?.serve();
  await settled();
  t.true(old.isDrained);
  t.true(old.isAlive);
  await pool.rereadAdminToken();
  t.deepEqual([old.reported, born[1]?.reported], [['rereadAdminToken'], ['rereadAdminToken']]);
  old.isBroken = true;
  await pool.rereadAdminToken();
  await settled();
  t.deepEqual(living(), [born[1]]);
});

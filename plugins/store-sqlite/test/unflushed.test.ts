import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { Failpoints, type FailpointName } from '../dist/failpoints.js';
import { openDatabase } from '../dist/writer/database.js';
import { Ledger } from '../dist/writer/ledger.js';
import { sqliteHarness, type SqliteHarness } from './sqlite-harness.ts';

const put = ({ store }: SqliteHarness, key: string, value: string) =>
  store.transact({ changes: [{ put: key, value: Buffer.from(value) }] });

/** Starts work and waits until it stops the writer at a point; `work` is still pending when it returns. */
async function stoppedAt<T>(failpoints: Failpoints, point: FailpointName, start: () => Promise<T>): Promise<{ readonly work: Promise<T> }> {
  const reached = failpoints.reached(point);
  failpoints.arm(point, 'pause');
  const work = start();
  while (failpoints.reached(point) === reached) await sleep(1);
  return { work };
}

test('nothing is acknowledged, told or readable elsewhere before it has been flushed', async (t) => {
  const failpoints = new Failpoints();
  const harness = await sqliteHarness({ failpoints });
  const { store, directory } = harness;
  await put(harness, 'a', '1');
  const delivered: number[] = [];
  const watch = store.watch({ start: 'a', end: 'b', fromRevision: 2 });
  const watching = (async () => {
    for await (const { events } of watch) delivered.push(...events.map(({ revision }) => revision));
  })();
  let acknowledged = false;
  const { work } = await stoppedAt(failpoints, 'batch.written', () => put(harness, 'a', '2').then(() => (acknowledged = true)));
  await sleep(20);
  const reader = new DatabaseSync(join(directory, 'store.sqlite'), { readOnly: true });
  const rows = () => reader.prepare('SELECT count(*) AS n FROM log').get()?.['n'];
  t.deepEqual([acknowledged, delivered, await store.currentRevision(), rows()], [false, [], 1, 1]);
  const reading = store.get('a');
  failpoints.arm('batch.written', 'none');
  await work;
  t.is(Buffer.from((await reading)?.value ?? []).toString(), '2');
  t.deepEqual([delivered, await store.currentRevision(), rows()], [[2], 2, 2]);
  reader.close();
  watch.close();
  await watching;
  await harness.dispose();
});

test('a restore that dies leaves either everything from before or everything from the snapshot', async (t) => {
  for (const [point, expected] of [
    ['restore.written', { epoch: 1, a: 'now' }],
    ['restore.committed', { epoch: 2, a: 'then' }],
  ] as const) {
    const failpoints = new Failpoints();
    const harness = await sqliteHarness({ failpoints });
    await put(harness, 'a', 'then');
    const snapshot: Uint8Array[] = [];
    for await (const chunk of harness.store.snapshot()) snapshot.push(chunk);
    await put(harness, 'a', 'now');
    const { work } = await stoppedAt(failpoints, point, () =>
      harness.store.restore(
        (async function* () {
          yield* snapshot;
        })(),
      ),
    );
    const copy = `${harness.directory}-killed`;
    await mkdir(copy);
    for (const name of ['store.sqlite', 'store.sqlite-wal', 'restore.part'])
      await copyFile(join(harness.directory, name), join(copy, name));
    const database = openDatabase(copy, undefined);
    const { epoch, keys, log } = new Ledger(database, copy);
    const found = keys.current('a');
    t.deepEqual({ epoch, a: found && Buffer.from(log.keyValue(found).value).toString() }, expected, point);
    database.close();
    failpoints.arm(point, 'none');
    await work;
    t.is(harness.store.epoch, 2);
    await harness.dispose();
    await rm(copy, { recursive: true });
  }
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { openSqliteStore } from '../dist/store.js';
import { openDatabase } from '../dist/writer/database.js';
import { diskFault } from '../dist/writer/disk-fault.js';
import { Ledger } from '../dist/writer/ledger.js';
import { endProcess } from '../../../test/end-process.ts';
import { sqliteHarness, type SqliteHarness } from './sqlite-harness.ts';

const child = fileURLToPath(new URL('crash-child.ts', import.meta.url));
const fill = async ({ store }: SqliteHarness, writes: number) => {
  for (let index = 1; index <= writes; index++) {
    await store.transact({ changes: [{ put: `k${index % 10}`, value: Buffer.from(`${index} ${'x'.repeat(3_000)}`) }] });
  }
};

/** A copy of the data as left by a killed process: batches in the write-ahead log, nothing copied into the database file. */
async function killed(t: ExecutionContext, writes: number): Promise<string> {
  const harness = await sqliteHarness({ checkpointBytes: 1_000_000_000 });
  await fill(harness, writes);
  const copy = `${harness.directory}-killed`;
  await mkdir(copy);
  for (const name of ['store.sqlite', 'store.sqlite-wal']) await copyFile(join(harness.directory, name), join(copy, name));
  await harness.dispose();
  t.teardown(() => rm(copy, { recursive: true, force: true }));
  return copy;
}

async function revisionIn(directory: string): Promise<number> {
  const harness = await sqliteHarness({ directory });
  const revision = await harness.store.currentRevision();
  await harness.store.close();
  return revision;
}

test('a second store on the directory is refused, in this process and in another, until the first ends', async (t) => {
  const harness = await sqliteHarness();
  const { directory, clock, store } = harness;
  const error = await t.throwsAsync(openSqliteStore({ directory, clock }), { code: 'TAP_STORE_LOCKED' });
  const { pid } = process;
  t.is(error?.message, `the data directory ${directory} is used by process ${pid} (to stop it: Ctrl-C in its terminal, or "kill ${pid}")`);
  t.true((await store.transact({ changes: [{ put: 'a', value: Buffer.from('1') }] })).ok);
  await store.close();

  const other = spawn(process.execPath, [child, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => endProcess(other));
  await once(other.stdout, 'data');
  other.stdout.resume();
  await t.throwsAsync(openSqliteStore({ directory, clock }), {
    code: 'TAP_STORE_LOCKED',
    message: new RegExp(`is used by process ${other.pid} `),
  });
  other.kill('SIGKILL');
  await once(other, 'exit');
  t.true((await revisionIn(directory)) > 1);
  await harness.dispose();
});

test('a directory that cannot be made is told at once, with the place', async (t) => {
  const { clock, directory, dispose } = await sqliteHarness();
  const below = join(directory, 'lock', 'data');
  await t.throwsAsync(openSqliteStore({ directory: below, clock }), { code: 'TAP_STORE_DIRECTORY', message: /cannot be made: ENOTDIR/ });
  if (process.platform === 'linux') {
    await t.throwsAsync(openSqliteStore({ directory: '/proc/tappaas/data', clock }), {
      code: 'TAP_STORE_DIRECTORY',
      message: /^the data directory \/proc\/tappaas\/data cannot be made: ENOENT.*'\/proc\/tappaas'/,
    });
  }
  await dispose();
});

test('the data is readable by its owner only', async (t) => {
  const harness = await sqliteHarness();
  const nested = join(harness.directory, 'deep', 'data');
  const store = await openSqliteStore({ directory: nested, clock: harness.clock });
  t.is((await stat(nested)).mode & 0o777, 0o700);
  await store.close();
  await harness.dispose();
});

test('other programs may read the file while the store is open', async (t) => {
  const harness = await sqliteHarness();
  await fill(harness, 3);
  const reader = new DatabaseSync(join(harness.directory, 'store.sqlite'), { readOnly: true });
  t.is(reader.prepare('SELECT count(*) AS rows FROM log').get()?.['rows'], 3);
  reader.close();
  await fill(harness, 3);
  await harness.dispose();
});

test('a program that holds the file for writing makes the store wait, then read-only, then it goes on', async (t) => {
  const harness = await sqliteHarness();
  await fill(harness, 1);
  const other = new DatabaseSync(join(harness.directory, 'store.sqlite'));
  other.exec('BEGIN IMMEDIATE');
  const error = await t.throwsAsync(fill(harness, 1), { code: 'TAP_STORE_READ_ONLY' });
  t.regex(error?.message ?? '', /another program writes .*store\.sqlite/);
  other.exec('ROLLBACK');
  other.close();
  while (harness.store.health().state !== 'ok') {
    await harness.advance(1_000);
    await harness.store.get('k1');
  }
  await fill(harness, 1);
  t.is(await harness.store.currentRevision(), 2);
  await harness.dispose();
});

test('a torn tail is dropped: cut anywhere, the log gives whole batches from the front', async (t) => {
  const directory = await killed(t, 12);
  const wal = await readFile(join(directory, 'store.sqlite-wal'));
  const found: number[] = [];
  for (let cut = wal.length; cut > wal.length / 2; cut -= 5_003) {
    const copy = `${directory}-cut`;
    await mkdir(copy);
    await copyFile(join(directory, 'store.sqlite'), join(copy, 'store.sqlite'));
    await writeFile(join(copy, 'store.sqlite-wal'), wal.subarray(0, cut));
    found.push(await revisionIn(copy));
    await rm(copy, { recursive: true });
  }
  t.is(found[0], 12);
  t.true(found.every((revision, index) => index === 0 || revision <= (found[index - 1] ?? 0)));
  t.true((found.at(-1) ?? 12) < 9);
});

test('garbage behind the end of the log is ignored', async (t) => {
  const directory = await killed(t, 5);
  const file = join(directory, 'store.sqlite-wal');
  await writeFile(file, Buffer.concat([await readFile(file), Buffer.alloc(20_000, 0xa5)]));
  t.is(await revisionIn(directory), 5);
});

test('damage in the middle of the log is refused, naming the file, for SQLite would forget what lies behind it', async (t) => {
  const directory = await killed(t, 12);
  const file = join(directory, 'store.sqlite-wal');
  const wal = await readFile(file);
  for (const share of [0, 0.3, 0.5, 0.7]) {
    const at = Math.floor(wal.length * share) + 100;
    const damaged = Buffer.from(wal);
    damaged[at] = (damaged[at] ?? 0) ^ 0x10;
    await writeFile(file, damaged);
    const error = await t.throwsAsync(sqliteHarness({ directory }), { code: 'TAP_STORE_CORRUPT' }, `byte ${at}`);
    t.regex(error?.message ?? '', /store\.sqlite-wal is damaged at byte \d+/);
  }
  await writeFile(file, wal);
  t.is(await revisionIn(directory), 12);
});

test('a damaged header of the log is refused as well', async (t) => {
  const directory = await killed(t, 6);
  const file = join(directory, 'store.sqlite-wal');
  const wal = await readFile(file);
  for (const at of [3, 9, 17, 25]) {
    const damaged = Buffer.from(wal);
    damaged[at] = (damaged[at] ?? 0) ^ 0x01;
    await writeFile(file, damaged);
    await t.throwsAsync(sqliteHarness({ directory }), { code: 'TAP_STORE_CORRUPT' }, `byte ${at}`);
  }
});

test('a damaged file is refused: no bit of it can change what is read', async (t) => {
  const harness = await sqliteHarness();
  await fill(harness, 20);
  await harness.store.close();
  const file = join(harness.directory, 'store.sqlite');
  const whole = await readFile(file);
  const holder = contents(file);
  let refused = 0;
  for (let at = 150; at < whole.length; at += 1_511) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] ?? 0) ^ 0x04;
    await writeFile(file, damaged);
    try {
      // Unused bytes may have any value.
      t.deepEqual(contents(file), holder, `byte ${at}`);
    } catch (error) {
      t.like(error, { code: 'TAP_STORE_CORRUPT' }, `byte ${at}`);
      t.regex(String(error), /store\.sqlite is damaged/);
      refused++;
    }
  }
  t.true(refused > 20);
  await writeFile(file, whole);
  t.is(await revisionIn(harness.directory), 20);
  await harness.dispose();
});

/** Everything in a database, read as the store does, but without its thread. */
function contents(file: string): unknown {
  const database = openDatabase(dirname(file), undefined);
  try {
    const { keys, log, revision, epoch } = new Ledger(database, dirname(file));
    return [epoch, revision, [...keys.between('', undefined, revision)].map((version) => log.keyValue(version))];
  } catch (error) {
    throw diskFault(error, file);
  } finally {
    database.close();
  }
}

test('a file of another program, or none of a database, is refused and left alone', async (t) => {
  const harness = await sqliteHarness();
  await harness.store.close();
  const file = join(harness.directory, 'store.sqlite');
  await rm(file);
  await writeFile(file, 'these are my notes, and they are longer than a header of a database would be, which has a hundred bytes');
  await t.throwsAsync(sqliteHarness({ directory: harness.directory }), { code: 'TAP_STORE_CORRUPT' });
  t.regex(await readFile(file, 'utf8'), /^these are my notes/);
  await rm(file);
  const other = new DatabaseSync(file);
  other.exec('CREATE TABLE recipe (name TEXT)');
  other.close();
  await t.throwsAsync(sqliteHarness({ directory: harness.directory }), {
    code: 'TAP_STORE_CORRUPT',
    message: /database of another program/,
  });
  await harness.dispose();
});

test('a file written by a newer version is refused with both versions', async (t) => {
  const harness = await sqliteHarness();
  await harness.store.close();
  const database = new DatabaseSync(join(harness.directory, 'store.sqlite'));
  database.exec('PRAGMA user_version = 7');
  database.close();
  await t.throwsAsync(sqliteHarness({ directory: harness.directory }), {
    code: 'TAP_STORE_UNAVAILABLE',
    message: /has format 7, this program reads format 1/,
  });
  await harness.dispose();
});

test('what a restore that was killed has left is removed', async (t) => {
  const harness = await sqliteHarness();
  await fill(harness, 2);
  await harness.store.close();
  const part = join(harness.directory, 'restore.part');
  await writeFile(part, 'half a snapshot');
  t.is(await revisionIn(harness.directory), 2);
  await t.throwsAsync(stat(part), { code: 'ENOENT' });
  await harness.dispose();
});

test('a second restore and a fifth snapshot at a time are refused', async (t) => {
  const harness = await sqliteHarness();
  await fill(harness, 3);
  const snapshots = Array.from({ length: 4 }, () => harness.store.snapshot()[Symbol.asyncIterator]());
  for (const snapshot of snapshots) t.false((await snapshot.next()).done);
  await t.throwsAsync(harness.store.snapshot()[Symbol.asyncIterator]().next(), { code: 'TAP_STORE_UNAVAILABLE' });
  await snapshots[0]?.return?.();
  const whole: Uint8Array[] = [];
  for await (const chunk of harness.store.snapshot()) whole.push(chunk);
  const restoring = harness.store.restore(
    (async function* () {
      yield* whole;
    })(),
  );
  await t.throwsAsync(
    harness.store.restore(
      (async function* () {
        yield* whole;
      })(),
    ),
    { code: 'TAP_STORE_UNAVAILABLE' },
  );
  await restoring;
  await t.throwsAsync(snapshots[1]?.next() ?? Promise.resolve(), { code: 'TAP_STORE_UNAVAILABLE', message: /restored meanwhile/ });
  await chmod(harness.directory, 0o700);
  await harness.dispose();
});

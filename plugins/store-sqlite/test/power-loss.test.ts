import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResourceStore } from '@tappaas/sdk';
import test, { type ExecutionContext } from 'ava';
import { Failpoints, type FailpointName } from '../dist/failpoints.js';
import { openDatabase } from '../dist/writer/database.js';
import { Ledger } from '../dist/writer/ledger.js';
import { rounds, sqliteHarness } from './sqlite-harness.ts';

/*
 * What a power failure may leave: everything as of the last flush, and any combination of the sectors written since. The writer is stopped
 * right before it commits or copies (everything it wrote before has been flushed) and right after; every mixture of the two states is a
 * disk that a power failure in between could leave. See docs/decisions/0012-loss-of-unflushed-data.md.
 */
const sectorBytes = 512;
const walHeaderSectors = 1;
const mixturesPerStop = 4;

interface Disk {
  readonly database: Buffer;
  readonly wal: Buffer;
}

test('a loss of power keeps every acknowledged transaction and of the one in flight all or nothing', async (t) => {
  t.timeout(rounds(5, 180) * 60_000);
  const random = randomNumbers(4_711);
  for (let cycle = 0; cycle < rounds(25, 500); cycle++) {
    const failpoints = new Failpoints();
    const harness = await sqliteHarness({ failpoints, checkpointBytes: cycle % 3 === 0 ? 30_000 : 300_000 });
    try {
      await loseDuringCommits(t, harness.store, harness.directory, failpoints, random);
      await loseDuringCheckpoint(t, harness.store, harness.directory, failpoints, random);
    } finally {
      for (const point of ['batch.written', 'batch.committed', 'checkpoint.begun', 'checkpoint.done'] as const)
        failpoints.arm(point, 'none');
      await harness.dispose();
    }
  }
});

async function loseDuringCommits(
  t: ExecutionContext,
  store: ResourceStore,
  directory: string,
  failpoints: Failpoints,
  random: () => number,
): Promise<void> {
  let acknowledged = 0;
  for (let stop = 0; stop < 4; stop++) {
    for (let more = Math.floor(random() * 6); more >= 0; more--) await write(store, ++acknowledged, random);
    const before = await stopAt(failpoints, 'batch.written', directory, () => void write(store, acknowledged + 1, random));
    const after = await stopAt(failpoints, 'batch.committed', directory, () => failpoints.arm('batch.written', 'none'));
    failpoints.arm('batch.committed', 'none');
    for (let mixture = 0; mixture < mixturesPerStop; mixture++) {
      await inspect(t, { database: after.database, wal: mixWal(before.wal, after.wal, random) }, acknowledged, acknowledged + 1);
    }
    acknowledged++;
    await settled(store, acknowledged);
  }
}

async function loseDuringCheckpoint(
  t: ExecutionContext,
  store: ResourceStore,
  directory: string,
  failpoints: Failpoints,
  random: () => number,
): Promise<void> {
  failpoints.arm('checkpoint.begun', 'pause');
  const reached = failpoints.reached('checkpoint.begun');
  let inFlight: Promise<number> | undefined;
  let acknowledged = await store.currentRevision();
  // The last write of this loop waits behind the stopped writer.
  while (failpoints.reached('checkpoint.begun') === reached) {
    const expected = acknowledged + 1;
    const writing = write(store, expected, random).then(() => (acknowledged = expected));
    await until(() => acknowledged === expected || failpoints.reached('checkpoint.begun') > reached);
    if (acknowledged === expected) await writing;
    else inFlight = writing;
  }
  const before = await readDisk(directory);
  const after = await stopAt(failpoints, 'checkpoint.done', directory, () => failpoints.arm('checkpoint.begun', 'none'));
  for (let mixture = 0; mixture < mixturesPerStop; mixture++) {
    await inspect(t, { database: mix(before.database, after.database, random), wal: after.wal }, acknowledged, acknowledged);
  }
  failpoints.arm('checkpoint.done', 'none');
  await inFlight;
}

/** One transaction with two keys and a log entry that belong together. */
async function write(store: ResourceStore, round: number, random: () => number): Promise<void> {
  const value = Buffer.from(`${round} ${'x'.repeat(Math.floor(random() * 9_000))}`);
  await store.transact({
    changes: [
      { put: 'a', value },
      { put: 'b', value },
      { put: `log/${round}`, value },
    ],
  });
}

async function settled(store: ResourceStore, revision: number): Promise<void> {
  await until(async () => (await store.currentRevision()) >= revision);
}

/** Arms a point, starts something that leads the writer there, and reads the disk while the writer is stopped. */
async function stopAt(failpoints: Failpoints, point: FailpointName, directory: string, go: () => void): Promise<Disk> {
  const reached = failpoints.reached(point);
  failpoints.arm(point, 'pause');
  go();
  await until(() => failpoints.reached(point) > reached);
  return readDisk(directory);
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(1);
}

async function readDisk(directory: string): Promise<Disk> {
  return { database: await readFile(join(directory, 'store.sqlite')), wal: await readFile(join(directory, 'store.sqlite-wal')) };
}

/**
 * SQLite flushes the header of its log before it writes frames after it, so frames of a new generation without its header are impossible.
 */
function mixWal(before: Buffer, after: Buffer, random: () => number): Buffer {
  const headerBytes = walHeaderSectors * sectorBytes;
  const restarted = before.length < 32 || before.compare(after, 0, 32, 0, 32) !== 0;
  if (!restarted) return mix(before, after, random);
  if (random() < 0.2) return before;
  return Buffer.concat([after.subarray(0, headerBytes), mix(before.subarray(headerBytes), after.subarray(headerBytes), random)]);
}

/** Each sector from either state, with a length between those of both. */
function mix(before: Buffer, after: Buffer, random: () => number): Buffer {
  const share = random();
  const mixed = Buffer.from(after);
  for (let at = 0; at < mixed.length; at += sectorBytes) {
    if (random() < share) continue;
    const old = before.subarray(at, at + sectorBytes);
    mixed.fill(0, at, Math.min(at + sectorBytes, mixed.length));
    mixed.set(old, at);
  }
  const grown = Math.max(0, after.length - before.length);
  const cut = random() < 0.5 ? 0 : Math.floor(random() * (grown / sectorBytes)) * sectorBytes;
  return mixed.subarray(0, mixed.length - cut);
}

/** Opens the remaining data as the store does, but without its thread. */
async function inspect(t: ExecutionContext, disk: Disk, ...expected: readonly number[]): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-power-'));
  await writeFile(join(directory, 'store.sqlite'), disk.database);
  await writeFile(join(directory, 'store.sqlite-wal'), disk.wal);
  const database = openDatabase(directory, undefined);
  const { keys, log, revision } = new Ledger(database, directory);
  t.true(expected.includes(revision), `expected revision ${expected.join(' or ')}, found ${revision}`);
  const all = [...keys.between('', undefined, revision)].map((version) => [
    version.key,
    Number.parseInt(Buffer.from(log.keyValue(version).value).toString(), 10),
  ]);
  const logged = Array.from({ length: revision }, (_, index) => [`log/${index + 1}`, index + 1] as const);
  t.deepEqual(Object.fromEntries(all), revision === 0 ? {} : { a: revision, b: revision, ...Object.fromEntries(logged) });
  database.close();
  await rm(directory, { recursive: true });
}

/** A pseudo-random generator, so that a failure can be reproduced. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

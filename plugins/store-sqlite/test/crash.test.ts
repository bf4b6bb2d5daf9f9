import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { keyAfterPrefix, type ResourceStore } from '@tappaas/sdk';
import test, { type ExecutionContext } from 'ava';
import { VirtualClock } from '../../../sdk/testing/dist/virtual-clock.js';
import { failpointNames } from '../dist/failpoints.js';
import { openSqliteStore } from '../dist/store.js';
import { rounds } from './sqlite-harness.ts';

const clients = 12;
/** Longer than a process takes to open the store, and from then on to reach any point, even on a slow disk. */
const pointMsMax = 60_000;
const child = fileURLToPath(new URL('crash-child.ts', import.meta.url));

test('nothing acknowledged is lost and nothing half done stays when the process is killed', async (t) => {
  t.timeout(rounds(15, 180) * 60_000);
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-crash-'));
  const points = failpointNames.filter((name) => !name.startsWith('restore'));
  let acknowledged = 0;
  const missed: string[] = [];
  for (let cycle = 0; cycle < rounds(50, 1_000); cycle++) {
    // Every other cycle is killed at a named point, the others at any moment.
    const point = cycle % 2 === 0 ? points[(cycle / 2) % points.length] : undefined;
    const { acks, isStopped } = await runUntilKilled(directory, point, cycle);
    if (point !== undefined && isStopped) missed.push(`cycle ${cycle}, ${point}`);
    acknowledged += acks.size;
    await inspect(t, directory, acks, `cycle ${cycle}, ${point ?? 'any moment'}`);
  }
  t.deepEqual(missed, [], 'points that were not reached');
  t.true(acknowledged > 0);
  await rm(directory, { recursive: true });
});

/**
 * The last acknowledged round and revision of each client, and whether the process was killed from outside.
 *
 * @throws when the process does not open the store in time
 */
async function runUntilKilled(
  directory: string,
  point: string | undefined,
  cycle: number,
): Promise<{ readonly acks: ReadonlyMap<number, readonly [round: number, revision: number]>; readonly isStopped: boolean }> {
  const process = spawn(
    globalThis.process.execPath,
    [child, directory, ...(point === undefined ? [] : [point, `${point.startsWith('batch') ? (cycle * 7) % 23 : cycle % 3}`])],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const exited = once(process, 'exit');
  const acks = new Map<number, readonly [number, number]>();
  let [isOpen, isStopped] = [false, false];
  const stop = (): void => {
    isStopped = true;
    process.kill('SIGKILL');
  };
  let timer = setTimeout(stop, pointMsMax);
  for await (const line of createInterface(process.stdout)) {
    if (line === 'open') {
      isOpen = true;
      clearTimeout(timer);
      // A point that is never reached does not block the test, and is reported.
      timer = setTimeout(stop, point === undefined ? (cycle * 13) % 90 : pointMsMax);
    }
    const [name = 0, round = 0, revision] = line.split(' ').map(Number);
    if (revision !== undefined) acks.set(name, [round, revision]);
  }
  clearTimeout(timer);
  await exited;
  if (isStopped && !isOpen) throw new Error(`cycle ${cycle}, ${point ?? 'any moment'}: the store was not open in ${pointMsMax} ms`);
  return { acks, isStopped };
}

async function inspect(
  t: ExecutionContext,
  directory: string,
  acks: ReadonlyMap<number, readonly [number, number]>,
  when: string,
): Promise<void> {
  const store = await openSqliteStore({ directory, clock: new VirtualClock() });
  const newest = await store.currentRevision();
  let total = 0;
  for (let name = 0; name < clients; name++) {
    const [a, b] = [await text(store, `a/${name}`), await text(store, `b/${name}`)];
    t.is(a, b, `half a transaction: ${when}`);
    const round = a === undefined ? 0 : Number.parseInt(a, 10);
    const [acknowledged = 0, revision = 0] = acks.get(name) ?? [];
    t.true(round >= acknowledged, `client ${name} lost round ${acknowledged}, has ${round}: ${when}`);
    t.true(newest >= revision, when);
    t.is(await countLog(store, name), Math.min(round, 20), when);
    if (acknowledged > 0) {
      const taken = await store.transact({ claims: [{ unique: `${name}/${acknowledged}`, holder: 'another' }], changes: [] });
      t.false(taken.ok, when);
    }
    total += round;
  }
  // Every round is one transaction, and was counted by its claim.
  t.is(newest, total, when);
  if (total > 0) {
    const over = await store.transact({ claims: [{ counter: 'total', amount: 1, max: total }], changes: [] });
    t.like(over, { ok: false, sum: total }, when);
  }
  await store.close();
}

async function text(store: ResourceStore, key: string): Promise<string | undefined> {
  const found = await store.get(key);
  return found && Buffer.from(found.value).toString();
}

async function countLog(store: ResourceStore, name: number): Promise<number> {
  const start = `log/${name}/`;
  return (await store.range({ start, end: keyAfterPrefix(start), itemsMax: 100 })).count;
}

import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../../plugins/store-sqlite/dist/store.js';
import type { BenchmarkRow } from '../row.ts';
import { startEtcd } from './etcd.ts';
import { realClock, runWriters, type Load } from './load.ts';

const value = Buffer.alloc(1_024, 'v');
const keyOf = (writer: number, round: number) => `/registry/apps.tappaas.dev/applications/team-${writer}/shop-${round}`;

/** Durable creates of 1 KiB, each guarded, beside one-member etcd and beside what the disk can do at all. */
export async function durableWrites(smoke: boolean): Promise<readonly BenchmarkRow[]> {
  const rows: BenchmarkRow[] = [];
  for (const writers of smoke ? [1, 64] : [1, 64, 512]) {
    const durationMs = smoke ? 300 : 4_000;
    // The two take turns and the better of each counts: a neighbour on the machine must not decide.
    const [ours, theirs] = [[await ourLoad(writers, durationMs)], [await etcdLoad(writers, durationMs)]];
    if (!smoke) {
      ours.push(await ourLoad(writers, durationMs));
      theirs.push(await etcdLoad(writers, durationMs));
    }
    rows.push(...rowsOf(writers, best(ours), best(theirs)));
  }
  return [...rows, ...(await diskRow(smoke ? 100 : 2_000))];
}

function best(loads: readonly (Load | undefined)[]): Load | undefined {
  return loads.reduce((found, load) => (load !== undefined && load.perSecond > (found?.perSecond ?? 0) ? load : found), undefined);
}

function rowsOf(writers: number, ours: Load | undefined, etcd: Load | undefined): readonly BenchmarkRow[] {
  if (ours === undefined) return [];
  const who = `${writers} writer${writers === 1 ? '' : 's'}`;
  const peer = etcd && { peer: `etcd, one member: ${Math.round(etcd.perSecond)}`, ratio: ours.perSecond / etcd.perSecond };
  const latencyPeer = etcd && { peer: `etcd, one member: ${etcd.p99Ms.toFixed(1)}` };
  return [
    {
      name: `durable guarded creates of 1 KiB, ${who}`,
      value: ours.perSecond,
      unit: '/s',
      ...peer,
      ...(writers === 64 && { target: '≥ 4×' }),
    },
    { name: `the same, p99, ${who}`, value: ours.p99Ms, unit: 'ms', ...latencyPeer, ...(writers === 64 && { target: '< 20 ms' }) },
  ];
}

async function ourLoad(writers: number, durationMs: number): Promise<Load> {
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-bench-'));
  const store = await openSqliteStore({ directory, clock: realClock });
  const load = await runWriters(writers, durationMs, async (writer, round) => {
    const key = keyOf(writer, round);
    const result = await store.transact({ guards: [{ key, modRevision: 0 }], changes: [{ put: key, value }] });
    if (!result.ok) throw new Error(`${key} was there already`);
  });
  await store.close();
  await rm(directory, { recursive: true });
  return load;
}

async function etcdLoad(writers: number, durationMs: number): Promise<Load | undefined> {
  const etcd = await startEtcd();
  if (etcd === undefined) return undefined;
  const load = await runWriters(writers, durationMs, (writer, round) => etcd.create(keyOf(writer, round), value));
  await etcd.stop();
  return load;
}

/** One append of 4 KiB and its flush at a time: no store with one writer can be faster. */
async function diskRow(rounds: number): Promise<readonly BenchmarkRow[]> {
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-bench-'));
  const file = openSync(join(directory, 'raw'), 'w');
  const page = Buffer.alloc(4_096, 'p');
  const startMs = performance.now();
  for (let round = 0; round < rounds; round++) {
    writeSync(file, page);
    fdatasyncSync(file);
  }
  const perSecond = (rounds / (performance.now() - startMs)) * 1_000;
  closeSync(file);
  await rm(directory, { recursive: true });
  return [{ name: 'the disk alone: 4 KiB appended and flushed, one at a time', value: perSecond, unit: '/s' }];
}

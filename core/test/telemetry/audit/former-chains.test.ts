import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditLine } from '@tappaas/sdk';
import test from 'ava';
import { isFormerWorker, workerNames } from '../../../dist/platform/workers/worker-names.js';
import { AuditLog, type LogSink } from '../../../dist/telemetry/audit/audit-log.js';
import { genesis, parseLine, type ChainEnd } from '../../../dist/telemetry/audit/chain.js';
import { checkpointText } from '../../../dist/telemetry/audit/checkpoint.js';
import { CheckpointFiles, readCheckpointDirectory } from '../../../dist/telemetry/audit/checkpoint-files.js';
import { FormerChains } from '../../../dist/telemetry/audit/former-chains.js';
import { ownEvents } from '../../../dist/telemetry/audit/own-event.js';
import { openSigningKey } from '../../../dist/telemetry/audit/signing-key.js';
import { verifyChain } from '../../../dist/telemetry/audit/verify.js';
import { VirtualClock } from '../../virtual-clock.ts';
import { ChainWriter } from './chain-writer.ts';
import { waitedFor } from './sink-settings.ts';

const scratch = await mkdtemp(join(tmpdir(), 'gone-chains-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

const quiet = () => {};
/** The chain of a worker that is gone, in a sink that keeps lines in memory until `expireBefore`. */
async function world() {
  const directory = await mkdtemp(join(scratch, 'case-'));
  const key = await openSigningKey(join(directory, 'audit.pem'));
  const clock = new VirtualClock();
  const warnings: string[] = [];
  const log = { debug: quiet, info: quiet, warn: (message: string) => void warnings.push(message), error: quiet };
  let lines: AuditLine[] = [];
  let expireBefore: number | undefined;
  let isNamed = false;
  let torn = 0;
  let failure: Error | undefined;
  let opened = 0;
  const sink: LogSink = {
    name: 'files',
    settings: waitedFor,
    write: async (more) => {
      lines.push(...more);
      if (expireBefore === undefined || isNamed) return {};
      isNamed = true;
      return { removesBefore: expireBefore };
    },
    end: async () => {
      if (failure !== undefined) throw failure;
      const tornBytes = torn;
      torn = 0;
      return { tornBytes, ...(lines.length > 0 && { line: lines.at(-1) }) };
    },
    read: async (_, before, max) =>
      lines
        .filter(({ sequence }) => sequence < before)
        .toReversed()
        .slice(0, max),
    hasExpired: async () => expireBefore !== undefined,
    async remove(_, before) {
      expireBefore = undefined;
      lines = lines.filter(({ sequence }) => sequence >= before);
    },
  };
  const others: LogSink[] = [];
  const checkpoints = join(directory, 'checkpoints');
  const openCheckpoints = async (chain: string) => {
    const files = await CheckpointFiles.open({ directory: checkpoints, chain, key });
    opened += 1;
    const close = files.close.bind(files);
    files.close = () => {
      opened -= 1;
      files.close = close;
      return close();
    };
    return files;
  };
  const ownEventOf = (chain: string) => ownEvents(chain, () => clock.nowMs());
  const shared = { everyEvents: 1_000, everyMs: 10_000, clock, random: () => 0.5, log };
  // Time stands still for a worker that was killed.
  const ownClock = new VirtualClock();
  const worker = await AuditLog.open({
    ...shared,
    clock: ownClock,
    chain: 'w3',
    sinks: [sink],
    checkpoints: await openCheckpoints('w3'),
    ownEvent: ownEventOf('w3'),
  });
  for (let count = 0; count < 9; count += 1) worker.recordOwn('get', {});
  const made = new FormerChains({
    ...shared,
    chains: async () => ['w3'],
    sinks: () => [sink, ...others],
    openCheckpoints,
    ownEventOf,
    replica: 'r0',
    stopMsMax: () => 500,
  });
  return {
    clock,
    worker,
    /** The worker has signed its lines, has written three more, and is killed. */
    kill: async () => {
      await ownClock.advance(10_000);
      for (let count = 0; count < 3; count += 1) worker.recordOwn('get', {});
      await ownClock.advance(200);
    },
    lines: () => lines,
    others,
    replace: (others: readonly AuditLine[]) => void (lines = [...others]),
    warnings,
    forgeCheckpoint: async (end: ChainEnd) => {
      const other = await openSigningKey(join(directory, 'other.pem'));
      const facts = { chain: 'w3', ...end, at: new Date(0).toISOString(), appended: end.sequence, final: true };
      await appendFile(join(checkpoints, 'w3.checkpoints'), `${checkpointText(facts, other)}\n`);
    },
    gone: made,
    tear: (bytes: number) => void (torn = bytes),
    fail: (error: Error) => void (failure = error),
    opened: () => opened,
    expire: (before: number) => void (expireBefore = before),
    verbs: () => lines.map(({ text }) => (JSON.parse(text) as { event: { verb: string } }).event.verb),
    facts: (at: number) => (JSON.parse(lines.at(at)?.text ?? '{}') as { event: { annotations: object } }).event.annotations,
    verified: async () => {
      const { texts, keys } = await readCheckpointDirectory(checkpoints);
      return verifyChain('w3', { lines: lines.map(({ text }) => text), checkpoints: texts, keys });
    },
    count: () => lines.length,
  };
}

test('the chain of a worker that is gone loses what is too old only after it says so itself, and stays good', async (t) => {
  const { worker, gone, expire, verbs, facts, verified, count } = await world();
  await worker.stop(500);
  t.is(count(), 11);
  await gone.look();
  t.is(count(), 11, 'nothing is written to one that ended in order and is young');
  expire(6);
  await gone.look();
  const [first, ...others] = verbs().slice(-3);
  t.is(first, 'start');
  t.deepEqual(others.toSorted(), ['remove', 'stop']);
  t.like(facts(-3), { 'tappaas.dev/audit-process': 'gone', 'tappaas.dev/audit-kept-by': 'r0' });
  const found = await verified();
  t.is(found.bad, undefined);
  t.like(found, { first: 6, last: 14, vouchedTo: 14 });
  t.regex(found.notes.join(), /lines before 6 were removed for their age, as the log itself says/);
  await gone.look();
  t.is(count(), 9);
});

test('the chain of a worker that was killed is ended with a signed checkpoint, which says how it was found', async (t) => {
  const { clock, gone, kill, verbs, facts, verified, count } = await world();
  await kill();
  t.is(count(), 13);
  t.is((await verified()).vouchedTo, 10);
  gone.start();
  await clock.advance(60_000);
  const stopped = gone.stop();
  await clock.advance(500);
  await stopped;
  t.deepEqual(verbs().slice(-2), ['start', 'stop']);
  t.like(facts(-2), {
    'tappaas.dev/audit-process': 'gone',
    'tappaas.dev/audit-stop': 'unclean',
    'tappaas.dev/audit-unvouched-lines': '11-13',
  });
  t.like(await verified(), { bad: undefined, last: 15, vouchedTo: 15, notes: [] });
});

type World = Awaited<ReturnType<typeof world>>;
const written = (from: ChainEnd, count: number): AuditLine[] => {
  const chain = new ChainWriter('w3', from);
  return Array.from({ length: count }, () => chain.append('{"verb":"get"}'));
};
const endOf = (lines: readonly AuditLine[]): ChainEnd => parseLine(lines.at(-1)?.text ?? '') ?? genesis;

const forgeries: Readonly<Record<string, (made: World) => Promise<void>>> = {
  'lines behind an orderly stop': async ({ worker, lines, replace }) => {
    await worker.stop(500);
    replace([...lines(), ...written(endOf(lines()), 2)]);
  },
  'another line at the end of an orderly stop': async ({ worker, lines, replace }) => {
    await worker.stop(500);
    const kept = lines().slice(0, -1);
    replace([...kept, ...written(endOf(kept), 1)]);
  },
  'a chain for which there is no checkpoint': async ({ replace }) => replace(written(genesis, 5)),
  'a crashed chain that was written anew': async ({ kill, replace }) => {
    await kill();
    replace(written(genesis, 13));
  },
  'a crashed chain that was cut': async ({ kill, lines, replace }) => {
    await kill();
    replace(lines().slice(0, 4));
  },
  'a checkpoint that somebody else has signed': async ({ kill, lines, replace, forgeCheckpoint }) => {
    await kill();
    replace([...lines(), ...written(endOf(lines()), 2)]);
    await forgeCheckpoint(endOf(lines()));
  },
};

for (const [name, forge] of Object.entries(forgeries)) {
  test(`nothing is signed and nothing removed that no stop and no crash leaves behind: ${name}`, async (t) => {
    const made = await world();
    await forge(made);
    const [before, { vouchedTo }] = [made.lines().length, await made.verified()];
    made.expire(3);
    await made.gone.look();
    await made.gone.look();
    t.is(made.count(), before);
    t.is((await made.verified()).vouchedTo, vouchedTo);
    t.is(made.warnings.length, 1);
  });
}

test('what another sink has behind an orderly stop is not given to the one that leads', async (t) => {
  const { worker, gone, expire, lines, others, facts, verified } = await world();
  await worker.stop(500);
  const forged = written(endOf(lines()), 2);
  others.push({
    name: 'other',
    settings: waitedFor,
    write: async () => ({}),
    end: async () => ({ tornBytes: 0, line: forged.at(-1) }),
    read: async (_, before) => forged.filter(({ sequence }) => sequence < before).toReversed(),
  });
  expire(6);
  await gone.look();
  t.false('tappaas.dev/audit-copied-from' in facts(-3));
  t.like(await verified(), { bad: undefined, first: 6, last: 14, vouchedTo: 14 });
});

test('a piece of a last line is recorded where it was, after a crash and behind an orderly stop', async (t) => {
  for (const isStopped of [false, true]) {
    const { worker, kill, gone, tear, verbs, facts, verified } = await world();
    if (isStopped) await worker.stop(500);
    else await kill();
    tear(17);
    await gone.look();
    t.deepEqual(verbs().slice(-2), ['start', 'stop']);
    t.like(facts(-2), { 'tappaas.dev/audit-process': 'gone', 'tappaas.dev/audit-torn-bytes': '17' });
    t.is((await verified()).bad, undefined);
  }
});

test('nothing stays open of a chain that cannot be looked after', async (t) => {
  const { worker, gone, fail, opened } = await world();
  await worker.stop(500);
  t.is(opened(), 0);
  fail(new Error('permission denied'));
  await gone.look();
  t.is(opened(), 0);
});

test('a worker is gone when there are too few for its number', (t) => {
  t.deepEqual(workerNames(2), ['w3', 'w3b']);
  const gone = (workers: number) => ['r0', 'w1', 'w2b', 'w3', 'w3b', 'w10', 'web'].filter((name) => isFormerWorker(name, workers));
  t.deepEqual(gone(2), ['w3', 'w3b', 'w10']);
  t.deepEqual(gone(0), ['w1', 'w2b', 'w3', 'w3b', 'w10']);
  t.deepEqual(gone(64), []);
});

/** The files of a worker's audit chain after the worker is gone, with the sink that platforms have. */
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { systemClock as clock } from '../../core/dist/platform/system-clock.js';
import { AuditLog, type LogSink } from '../../core/dist/telemetry/audit/audit-log.js';
import { CheckpointFiles } from '../../core/dist/telemetry/audit/checkpoint-files.js';
import { FormerChains } from '../../core/dist/telemetry/audit/former-chains.js';
import { linesIn, readCheckpointDirectory, verifyChain } from '../../core/dist/telemetry/audit/offline.js';
import { ownEvents } from '../../core/dist/telemetry/audit/own-event.js';
import { openSigningKey } from '../../core/dist/telemetry/audit/signing-key.js';
import { waitedFor } from '../../core/test/telemetry/audit/sink-settings.ts';
import { AuditFiles } from '../../plugins/telemetry-audit-file/dist/audit-files.js';

const dayMs = 86_400_000;

test('what a worker that is gone has recorded is kept as long as the configuration says, and its chain is good before and after', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'gone-workers-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const [files, checkpoints] = [join(directory, 'audit'), join(directory, 'checkpoints')];
  const key = await openSigningKey(join(directory, 'audit.pem'));
  const quiet = () => {};
  const log = {
    debug: quiet,
    info: quiet,
    warn: (message: string, fields?: object) => t.fail(`${message} ${JSON.stringify(fields)}`),
    error: quiet,
  };
  const shared = { everyEvents: 1_000, everyMs: 10_000, clock, random: Math.random, log };
  const openCheckpoints = (chain: string) => CheckpointFiles.open({ directory: checkpoints, chain, key });
  const ownEventOf = (chain: string) => ownEvents(chain, () => Date.now());
  const openFiles = async () =>
    AuditFiles.open({ directory: files, fileBytesMax: 5_000, totalBytesMax: 1_000_000, keepDays: 30 }, () => Date.now());
  const sinkOf = (sink: AuditFiles): LogSink => ({
    name: 'files',
    settings: waitedFor,
    write: (lines) => sink.write(lines),
    end: (chain) => sink.end(chain),
    hasExpired: (chain) => sink.hasExpired(chain),
    read: (chain, before, max) => sink.read(chain, before, max),
    remove: (chain, before) => sink.remove(chain, before),
  });
  const verified = async () => {
    const { texts, keys } = await readCheckpointDirectory(checkpoints);
    return verifyChain('w3', { lines: linesIn(files, 'w3'), checkpoints: texts, keys });
  };

  const used = await openFiles();
  const parts = { ...shared, chain: 'w3', sinks: [sinkOf(used)], checkpoints: await openCheckpoints('w3'), ownEvent: ownEventOf('w3') };
  const worker = await AuditLog.open(parts);
  for (let count = 0; count < 20; count += 1) worker.recordOwn('get', {});
  await worker.stop(5_000);
  await used.close();
  t.like(await verified(), { bad: undefined, first: 1, last: 22 });

  const sink = await openFiles();
  const sinks = [sinkOf(sink)];
  const gone = new FormerChains({
    ...shared,
    chains: () => sink.chains(),
    sinks: () => sinks,
    openCheckpoints,
    ownEventOf,
    replica: 'r0',
    stopMsMax: () => 5_000,
  });
  const before = (await readdir(files)).toSorted();
  await gone.look();
  t.deepEqual((await readdir(files)).toSorted(), before);
  const longAgo = new Date(Date.now() - 31 * dayMs);
  for (const name of before) await utimes(join(files, name), longAgo, longAgo);
  await gone.look();
  t.deepEqual(await readdir(files), ['w3-0000000000000023.audit']);
  const found = await verified();
  t.like(found, { bad: undefined, first: 23, last: 25, vouchedTo: 25 });
  t.regex(found.notes.join(), /lines before 23 were removed for their age, as the log itself says/);
  await gone.look();
  t.like(await verified(), { first: 23, last: 25 });
  await sink.close();
});

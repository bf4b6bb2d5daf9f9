import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditLineOf, type AuditEvent, type AuditLine, type AuditWritten } from '@tappaas/sdk';
import test, { type ExecutionContext } from 'ava';
import type { AuditedRequest } from '../../../dist/ports/audit.js';
import { AuditLog, type LogSink } from '../../../dist/telemetry/audit/audit-log.js';
import { createAuditStage, type AuditStageParts } from '../../../dist/telemetry/audit/audit-stage.js';
import { CheckpointFiles, readCheckpointDirectory } from '../../../dist/telemetry/audit/checkpoint-files.js';
import { isConfidential } from '../../../dist/telemetry/audit/confidential.js';
import { ownEvents } from '../../../dist/telemetry/audit/own-event.js';
import { compilePolicy, type PolicySettings } from '../../../dist/telemetry/audit/policy.js';
import { openSigningKey } from '../../../dist/telemetry/audit/signing-key.js';
import type { SinkSettings } from '../../../dist/telemetry/audit/sink-queue.js';
import { verifyChain } from '../../../dist/telemetry/audit/verify.js';
import { settled, VirtualClock } from '../../virtual-clock.ts';

const scratch = await mkdtemp(join(tmpdir(), 'audit-log-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const usual: SinkSettings = {
  mode: 'batch',
  onOverflow: 'block',
  waitMsMax: 1_000,
  bufferLinesMax: 1_000,
  bufferBytesMax: 1_000_000,
  gatherMs: 50,
};

/** A sink in memory that outlives the log. */
class Kept {
  lines: AuditLine[] = [];
  removed: number[] = [];
  pageMax = 1_000;
  before: (lines: readonly AuditLine[]) => Promise<AuditWritten> = async () => ({});

  as(name: string, settings: Partial<SinkSettings> = {}): LogSink {
    return {
      name,
      settings: { ...usual, ...settings },
      write: async (lines) => {
        const written = await this.before(lines);
        // As a sink of files does, which may have kept some at an earlier call.
        const last = this.lines.at(-1)?.sequence ?? 0;
        this.lines.push(...lines.filter(({ sequence }) => sequence > last));
        return written;
      },
      end: async () => ({ tornBytes: 0, ...(this.lines.length > 0 && { line: this.lines.at(-1) }) }),
      read: async (_, before, max) =>
        this.lines
          .filter(({ sequence }) => sequence < before)
          .toReversed()
          .slice(0, Math.min(max, this.pageMax)),
      remove: async (_, before) => void this.removed.push(before),
    };
  }

  get texts(): readonly string[] {
    return this.lines.map(({ text }) => text);
  }

  get events(): readonly { verb: string; stage: string; annotations?: Record<string, string> }[] {
    return this.texts.map((text) => (JSON.parse(text) as { event: { verb: string; stage: string } }).event);
  }
}

async function openOn(t: ExecutionContext, sinks: readonly LogSink[], directory: string, clock = new VirtualClock(), everyEvents = 10) {
  const key = await openSigningKey(join(directory, 'keys', 'audit.pem'));
  const checkpoints = await CheckpointFiles.open({ directory: join(directory, 'checkpoints'), chain: 'r0', key });
  const ownEvent = ownEvents('r0', () => clock.nowMs());
  const auditLog = await AuditLog.open({
    chain: 'r0',
    sinks,
    checkpoints,
    everyEvents,
    everyMs: 10_000,
    clock,
    random: () => 0.5,
    log,
    ownEvent,
  });
  const stop = async () => {
    const stopped = auditLog.stop(500);
    await clock.advance(500);
    await stopped;
  };
  t.teardown(stop);
  return { auditLog, clock, key, stop };
}

const place = () => mkdtemp(join(scratch, 'case-'));

async function verified(kept: Kept, directory: string) {
  const { texts, keys } = await readCheckpointDirectory(join(directory, 'checkpoints'));
  return verifyChain('r0', { lines: kept.texts, checkpoints: texts, keys });
}

test('the chain goes on after a start, in every sink, and can be verified from beginning to end', async (t) => {
  const directory = await place();
  const [first, second] = [new Kept(), new Kept()];
  for (let start = 0; start < 3; start += 1) {
    const { auditLog, stop } = await openOn(t, [first.as('first'), second.as('second')], directory);
    for (let n = 0; n < 25; n += 1) auditLog.append(`{"verb":"get","n":${n}}`);
    await stop();
  }
  const { bad, notes, last, vouchedTo } = await verified(first, directory);
  t.is(bad, undefined);
  t.deepEqual(notes, []);
  t.is(last, 3 * 27);
  t.is(last, vouchedTo);
  t.deepEqual(second.texts, first.texts);
});

test('after a crash the first line says so; nothing that a checkpoint vouches for is missing', async (t) => {
  const directory = await place();
  const kept = new Kept();
  const crashed = await openOn(t, [kept.as('audit')], directory);
  for (let n = 0; n < 15; n += 1) crashed.auditLog.append('{"verb":"get"}');
  await crashed.clock.advance(60);
  await settled();
  const { stop } = await openOn(t, [kept.as('audit')], directory);
  await stop();
  t.deepEqual(kept.events.findLast(({ verb }) => verb === 'start')?.annotations, { 'tappaas.dev/audit-stop': 'unclean' });
  t.is((await verified(kept, directory)).bad, undefined);
});

const lastOf = async (sink: LogSink): Promise<AuditLine> => (await sink.end?.('r0'))?.line ?? { chain: 'r0', sequence: 0, text: '' };

/** Two sinks after a crash that left three lines more in the second. */
async function unequal(t: ExecutionContext, directory: string) {
  const [first, second] = [new Kept(), new Kept()];
  const crashed = await openOn(t, [first.as('first'), second.as('second')], directory, new VirtualClock(), 1_000);
  for (let n = 0; n < 9; n += 1) crashed.auditLog.append('{"verb":"get"}');
  await crashed.clock.advance(60);
  await settled();
  first.lines = first.lines.slice(0, 7);
  return { first, second };
}

async function goOn(t: ExecutionContext, sinks: readonly LogSink[], directory: string): Promise<void> {
  const { auditLog, stop } = await openOn(t, sinks, directory, new VirtualClock(), 1_000);
  for (let n = 0; n < 5; n += 1) auditLog.append('{"verb":"put"}');
  await stop();
}

test('what another sink has kept beyond the leading one at a crash is copied there, and none of either loses a line', async (t) => {
  const directory = await place();
  const { first, second } = await unequal(t, directory);
  second.pageMax = 2;
  await goOn(t, [first.as('first'), second.as('second')], directory);
  for (const kept of [first, second]) {
    t.is((await verified(kept, directory)).bad, undefined);
    t.is(kept.events.filter(({ verb }) => verb === 'put').length, 5);
  }
  t.deepEqual(second.texts, first.texts);
  t.like(first.events.findLast(({ verb }) => verb === 'start')?.annotations, {
    'tappaas.dev/audit-copied-lines': '8-10',
    'tappaas.dev/audit-copied-from': 'second',
  });
});

test('what cannot be read back from the sink that has more is told to be missing, and no number is given twice', async (t) => {
  const broken = {
    'it cannot be read': ({ name, settings, write, end }: LogSink): LogSink => ({ name, settings, write, ...(end && { end }) }),
    'reading fails': (sink: LogSink): LogSink => ({ ...sink, read: () => Promise.reject(new Error('no rights')) }),
    'it tells the same again and again': (sink: LogSink): LogSink => ({ ...sink, read: async () => [await lastOf(sink)] }),
    'what it has does not follow': (sink: LogSink): LogSink => ({
      ...sink,
      read: async (chain, before, max) =>
        (await sink.read?.(chain, before, max))?.map((line) => ({ ...line, text: line.text.replace('get', 'got') })) ?? [],
    }),
  };
  for (const [how, spoil] of Object.entries(broken)) {
    const directory = await place();
    const { first, second } = await unequal(t, directory);
    await goOn(t, [first.as('first'), spoil(second.as('second'))], directory);
    t.is((await verified(second, directory)).bad, undefined, how);
    t.is(second.events.filter(({ verb }) => verb === 'put').length, 5, how);
    t.is(first.events[7]?.annotations?.['tappaas.dev/audit-missing-lines'], '8-10', how);
  }
});

test('when the leading sink takes only a part of what it lacks, the start says which', async (t) => {
  const directory = await place();
  const { first, second } = await unequal(t, directory);
  second.pageMax = 2;
  const leader = first.as('first');
  let writes = 0;
  const write: LogSink['write'] = (lines) => {
    writes += 1;
    return writes === 2 ? Promise.reject(new Error('the disk is full')) : leader.write(lines);
  };
  await goOn(t, [{ ...leader, write }, second.as('second')], directory);
  t.like(first.events.findLast(({ verb }) => verb === 'start')?.annotations, {
    'tappaas.dev/audit-copied-lines': '8-8',
    'tappaas.dev/audit-copied-from': 'second',
    'tappaas.dev/audit-missing-lines': '9-10',
  });
});

test('a sink that does not tell how far it has come keeps the others from nothing', async (t) => {
  const directory = await place();
  const { first, second } = await unequal(t, directory);
  await goOn(t, [first.as('first'), { ...second.as('second'), end: () => Promise.reject(new Error('no rights')) }], directory);
  t.is(first.events.filter(({ verb }) => verb === 'put').length, 5);
});

test('a log that was cut off while the platform was down is found when it starts, and by whoever verifies', async (t) => {
  const directory = await place();
  const kept = new Kept();
  const before = await openOn(t, [kept.as('audit')], directory);
  for (let n = 0; n < 8; n += 1) before.auditLog.append('{"verb":"get"}');
  await before.stop();
  kept.lines = kept.lines.slice(0, 6);
  const { stop } = await openOn(t, [kept.as('audit')], directory);
  await stop();
  t.is(kept.events[6]?.annotations?.['tappaas.dev/audit-missing-lines'], '7-10');
  t.deepEqual((await verified(kept, directory)).bad, { sequence: 7, message: 'lines 7 to 10 were deleted' });
});

test('checkpoints speak of kept lines only', async (t) => {
  const directory = await place();
  const kept = new Kept();
  const gate = Promise.withResolvers<AuditWritten>();
  kept.before = () => gate.promise;
  const { auditLog, clock } = await openOn(t, [kept.as('audit')], directory);
  for (let n = 0; n < 50; n += 1) auditLog.append('{"verb":"get"}');
  await clock.advance(30_000);
  t.deepEqual((await readCheckpointDirectory(join(directory, 'checkpoints'))).texts, []);
  gate.resolve({});
  await clock.advance(100);
  for (let tries = 0; tries < 100 && (await verified(kept, directory)).vouchedTo === 0; tries += 1) await settled();
  t.is((await verified(kept, directory)).vouchedTo, kept.lines.length);
});

test('the key is made once, for its owner only, and one that others may read is refused', async (t) => {
  const directory = await place();
  const path = join(directory, 'keys', 'audit.pem');
  const { id } = await openSigningKey(path);
  t.is((await openSigningKey(path)).id, id);
  t.is((await stat(path)).mode & 0o777, 0o600);
  await writeFile(join(directory, 'exposed.pem'), await readFile(path), { mode: 0o644 });
  await t.throwsAsync(openSigningKey(join(directory, 'exposed.pem')), { code: 'TAP_AUDIT_KEY' });
  await writeFile(join(directory, 'other.pem'), 'no key', { mode: 0o600 });
  await t.throwsAsync(openSigningKey(join(directory, 'other.pem')), { code: 'TAP_AUDIT_KEY' });
});

test('a sink removes old lines only when the line that says so is kept', async (t) => {
  const directory = await place();
  const kept = new Kept();
  const { auditLog, clock, stop } = await openOn(t, [kept.as('audit')], directory);
  await clock.advance(100);
  kept.before = async () => ({ removesBefore: 2 });
  auditLog.append('{"verb":"get"}');
  await clock.advance(50);
  t.deepEqual(kept.removed, []);
  kept.before = async () => ({});
  await clock.advance(50);
  t.is(kept.events.at(-1)?.verb, 'remove');
  t.deepEqual(kept.removed, [2]);
  await stop();
});

test('lines that a sink was not given are a line of the log themselves', async (t) => {
  const directory = await place();
  const [kept, slow] = [new Kept(), new Kept()];
  const gate = Promise.withResolvers<AuditWritten>();
  slow.before = () => gate.promise;
  const { auditLog, clock, stop } = await openOn(
    t,
    [kept.as('audit'), slow.as('far', { onOverflow: 'drop', bufferLinesMax: 10 })],
    directory,
  );
  for (let n = 0; n < 20; n += 1) auditLog.append('{"verb":"get"}');
  await clock.advance(100);
  gate.resolve({});
  await clock.advance(200);
  await stop();
  t.deepEqual(kept.events.find(({ verb }) => verb === 'drop')?.annotations, {
    'tappaas.dev/audit-sink': 'far',
    'tappaas.dev/audit-dropped': '11',
    'tappaas.dev/audit-dropped-lines': '11-21',
  });
  t.is((await verified(kept, directory)).bad, undefined);
  t.regex((await verified(slow, directory)).bad?.message ?? '', /^lines 11 to 21 were deleted/);
});

test('a reload takes sinks over and gives those that go their last lines', async (t) => {
  const directory = await place();
  const [first, second] = [new Kept(), new Kept()];
  const { auditLog, clock, stop } = await openOn(t, [first.as('first')], directory);
  auditLog.append('{"verb":"get"}');
  const followed = auditLog.follow([second.as('second')], 500);
  await clock.advance(500);
  await followed;
  t.is(first.lines.length, 2);
  auditLog.append('{"verb":"put"}');
  await stop();
  t.deepEqual(
    second.lines.map(({ text }) => auditLineOf(text)?.sequence),
    [3, 4],
  );
});

const request: AuditedRequest = {
  requestId: 'r0-1',
  receivedAtMs: 0,
  method: 'PUT',
  path: '/x',
  query: '',
  engine: 'platform',
  verb: 'update',
  target: { kind: { group: '', version: 'v1', plural: 'configmaps' }, namespace: 'shop', name: 'menu' },
  caller: { name: 'ann', groups: [] },
  remoteAddress: '127.0.0.1',
  userAgent: '',
};

async function stageOn(
  t: ExecutionContext,
  sinks: readonly LogSink[],
  policy: Partial<PolicySettings> = {},
  parts: Partial<AuditStageParts> = {},
) {
  const opened = await openOn(t, sinks, await place());
  await opened.clock.advance(100);
  const compiled = compilePolicy({ level: 'Metadata', omitStages: [], refusals: true, rules: [], ...policy }, isConfidential);
  const reported: AuditEvent[] = [];
  const stage = createAuditStage({
    nowMs: () => opened.clock.nowMs(),
    policy: () => compiled,
    recordsRefusals: () => policy.refusals ?? true,
    bodyBytesMax: () => 1_000,
    auditLog: opened.auditLog,
    hasTaps: () => false,
    emit: (event) => void reported.push(event),
    log,
    ...parts,
  });
  return { ...opened, stage, reported };
}

test('in mode blocking a request begins when its first line is kept, and is refused while the sink fails', async (t) => {
  const kept = new Kept();
  const { stage, clock } = await stageOn(t, [kept.as('audit', { mode: 'blocking' })]);
  const gate = Promise.withResolvers<AuditWritten>();
  kept.before = () => gate.promise;
  let hasBegun = false;
  const begun = Promise.resolve(stage(request)).then((trail) => ((hasBegun = true), trail));
  await clock.advance(500);
  t.false(hasBegun);
  gate.resolve({});
  await clock.advance(0);
  (await begun).end({ status: 200 });
  await clock.advance(0);
  t.deepEqual(
    kept.events.slice(-2).map(({ stage: moment }) => moment),
    ['RequestReceived', 'ResponseComplete'],
  );
  kept.before = () => Promise.reject(new Error('no space left'));
  const refused = t.throwsAsync(Promise.resolve(stage(request)), { code: 'TAP_AUDIT_UNAVAILABLE' });
  await clock.advance(0);
  await refused;
});

test('a request without a first line is refused too while a blocking sink is failing', async (t) => {
  const kept = new Kept();
  const { stage, clock } = await stageOn(t, [kept.as('audit', { mode: 'blocking' })], { omitStages: ['RequestReceived'] });
  const trail = await stage(request);
  kept.before = () => Promise.reject(new Error('no space left'));
  trail.end({ status: 200 });
  await clock.advance(0);
  await t.throwsAsync(async () => stage(request), { code: 'TAP_AUDIT_UNAVAILABLE' });
  kept.before = async () => ({});
  await clock.advance(20_000);
  await t.notThrowsAsync(async () => stage(request));
});

test('requests that run always find room for their end, however many wait', async (t) => {
  const kept = new Kept();
  kept.before = () => new Promise(() => {});
  const { stage, clock, auditLog } = await stageOn(t, [kept.as('audit', { bufferLinesMax: 20, onOverflow: 'refuse' })]);
  const trails = [];
  for (let n = 0; n < 50; n += 1) {
    try {
      trails.push(await stage(request));
    } catch {
      break;
    }
  }
  t.true(trails.length >= 5 && trails.length < 10, `${trails.length} requests`);
  for (const trail of trails) trail.end({ status: 200 });
  await clock.advance(1);
  t.true((auditLog.queues[0]?.counts.waiting ?? 0) >= trails.length * 2);
  t.true((auditLog.queues[0]?.counts.waiting ?? 0) <= 20);
});

test('streams that run leave room to requests, however many there are, and find some for their end', async (t) => {
  const kept = new Kept();
  const { stage, clock, stop } = await stageOn(t, [kept.as('audit', { bufferLinesMax: 100, onOverflow: 'refuse' })]);
  const streams = [];
  for (let n = 0; n < 300; n += 1) {
    const trail = await stage(request);
    trail.streaming({ status: 200 });
    streams.push(trail);
    if (n % 20 === 0) await clock.advance(50);
  }
  await clock.advance(50);
  await t.notThrowsAsync(async () => (await stage(request)).end({ status: 200 }));
  for (const stream of streams) stream.end({ status: 200 });
  await stop();
  t.is(kept.events.filter(({ stage: moment }) => moment === 'ResponseComplete').length, streams.length + 3);
});

test('when a sink keeps nothing, lines beyond its buffer are the ends of streams only', async (t) => {
  const kept = new Kept();
  const { stage, clock, auditLog } = await stageOn(t, [kept.as('audit', { bufferLinesMax: 50, onOverflow: 'refuse' })]);
  const gate = Promise.withResolvers<AuditWritten>();
  kept.before = () => gate.promise;
  const streams = [];
  while (streams.length < 1_000) {
    try {
      const trail = await stage(request);
      trail.streaming({ status: 200 });
      streams.push(trail);
    } catch {
      break;
    }
  }
  t.is(streams.length, 24);
  for (const stream of streams) stream.end({ status: 200 });
  await t.throwsAsync(async () => stage(request), { code: 'TAP_AUDIT_UNAVAILABLE' });
  await clock.advance(50);
  await t.throwsAsync(async () => stage(request), { code: 'TAP_AUDIT_UNAVAILABLE' });
  t.is(auditLog.queues[0]?.counts.waiting, 3 * streams.length);
  gate.resolve({});
  await clock.advance(100);
  await t.notThrowsAsync(async () => (await stage(request)).end({ status: 200 }));
});

test('a request that is refused gives its room back', async (t) => {
  const kept = new Kept();
  const emit = () => {
    throw new Error('the tap fails');
  };
  const { stage } = await stageOn(t, [kept.as('audit', { bufferLinesMax: 150 })], {}, { hasTaps: () => true, emit });
  for (let n = 0; n < 140; n += 1) t.throws(() => stage(request), { message: 'the tap fails' });
});

test('what a tap throws at the end of a request is a line of the log', async (t) => {
  const kept = new Kept();
  let isFailing = false;
  const emit = () => {
    if (isFailing) throw new Error('the tap fails');
  };
  const { stage, clock } = await stageOn(t, [kept.as('audit')], {}, { hasTaps: () => true, emit });
  const trail = await stage(request);
  isFailing = true;
  trail.end({ status: 200 });
  await clock.advance(100);
  t.deepEqual(
    kept.events.slice(-2).map(({ verb }) => verb),
    ['update', 'tap-failed'],
  );
});

test('refusals are recorded where the level is None, and failures inside as Panic', async (t) => {
  const kept = new Kept();
  const { stage, clock } = await stageOn(t, [kept.as('audit')], { level: 'None' });
  for (const status of [200, 401, 403, 429, 404]) (await stage(request)).end({ status });
  await clock.advance(100);
  t.is(kept.events.length, 1 + 3);
  const inside = new Kept();
  const other = await stageOn(t, [inside.as('audit')]);
  (await other.stage(request)).end({ status: 500, errorCode: 'TAP_API_INTERNAL' });
  await other.clock.advance(100);
  t.is(inside.events.at(-1)?.stage, 'Panic');
});

test('bodies are recorded at Request and RequestResponse, and never of secrets', async (t) => {
  const kept = new Kept();
  const { stage, clock } = await stageOn(t, [kept.as('audit')], { level: 'RequestResponse', omitStages: ['RequestReceived'] });
  const bodies = { requestBody: Buffer.from('{"data":{"dish":"soup"}}'), responseBody: '{"data":{"dish":"soup"},"password":"canary"}' };
  const trail = await stage(request);
  t.is(trail.wants, 'both');
  trail.end({ status: 200, ...bodies });
  const secret = await stage({ ...request, target: { kind: { group: '', version: 'v1', plural: 'secrets' }, namespace: 'shop' } });
  t.is(secret.wants, 'nothing');
  secret.end({ status: 200, requestBody: Buffer.from('{"data":{"dish":"canary"}}'), responseBody: '{"dish":"canary"}' });
  await clock.advance(100);
  const [full, limited] = kept.events.slice(-2) as unknown as { requestObject?: object; responseObject?: object; level: string }[];
  t.deepEqual(full?.requestObject, { data: { dish: 'soup' } });
  t.deepEqual(full?.responseObject, { data: { dish: 'soup' }, password: '[redacted]' });
  t.is(limited?.level, 'Metadata');
  t.notRegex(kept.texts.join(), /canary/);
});

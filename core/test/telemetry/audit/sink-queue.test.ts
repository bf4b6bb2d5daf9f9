import { isTapError, type AuditLine, type AuditWritten } from '@tappaas/sdk';
import test from 'ava';
import { SinkQueue, type DroppedLines, type SinkSettings } from '../../../dist/telemetry/audit/sink-queue.js';
import { settled, VirtualClock } from '../../virtual-clock.ts';

const quiet = () => {};
const usual: SinkSettings = {
  mode: 'batch',
  onOverflow: 'block',
  waitMsMax: 1_000,
  bufferLinesMax: 10,
  bufferBytesMax: 1_000_000,
  gatherMs: 50,
};
const line = (sequence: number, bytes = 2): AuditLine => ({ chain: 'r0', sequence, text: 'x'.repeat(bytes) });

/** A queue on a sink that does what the test says. */
function queueOn(settings: Partial<SinkSettings> = {}, write: (lines: readonly AuditLine[]) => Promise<AuditWritten> = async () => ({})) {
  const clock = new VirtualClock();
  const batches: number[][] = [];
  const dropped: DroppedLines[] = [];
  const problems: string[] = [];
  const sink = { write };
  const unmade: AuditLine[] = [];
  const queue = new SinkQueue({
    name: 'audit',
    settings: { ...usual, ...settings },
    write: async (lines) => {
      batches.push(lines.map(({ sequence }) => sequence));
      return sink.write(lines);
    },
    unmade: () => unmade.length,
    make: () => {
      for (const each of unmade.splice(0)) queue.push(each);
    },
    clock,
    random: () => 1,
    log: { debug: quiet, info: quiet, warn: quiet, error: (message) => void problems.push(message) },
    onWritten: quiet,
    onDropped: (lines) => void dropped.push(lines),
  });
  const push = (...sequences: readonly number[]) => {
    for (const sequence of sequences) {
      if (!queue.reserve(1)) throw new Error(`no room for ${sequence}`);
      queue.push(line(sequence));
      queue.release(1);
    }
  };
  return { clock, queue, unmade, batches, dropped, problems, sink, push };
}

const unavailable = { code: 'TAP_AUDIT_UNAVAILABLE' };

test('lines of one moment go out together, in their order', async (t) => {
  const { clock, batches, push } = queueOn();
  push(1, 2);
  await clock.advance(20);
  push(3);
  t.deepEqual(batches, []);
  await clock.advance(30);
  t.deepEqual(batches, [[1, 2, 3]]);
});

test('lines that are not made yet are made when the sink is to be given some', async (t) => {
  const { clock, queue, unmade, batches } = queueOn();
  unmade.push(line(1), line(2));
  queue.expect();
  t.is(queue.counts.waiting, 2);
  await clock.advance(49);
  t.is(unmade.length, 2);
  await clock.advance(1);
  t.deepEqual(batches, [[1, 2]]);
  t.is(queue.counts.waiting, 0);
});

test('lines that come while a call runs wait for it and go out in the next', async (t) => {
  const gate = Promise.withResolvers<AuditWritten>();
  const { clock, batches, push } = queueOn({ mode: 'blocking' }, () => gate.promise);
  push(1);
  await settled();
  push(2, 3);
  await settled();
  t.deepEqual(batches, [[1]]);
  gate.resolve({});
  await clock.advance(0);
  t.deepEqual(batches, [[1], [2, 3]]);
});

test('a call takes at most 1,000 lines, and at most 1 MiB unless one line is larger', async (t) => {
  const { clock, queue, batches } = queueOn({ bufferLinesMax: 10_000, bufferBytesMax: 100_000_000 });
  for (let n = 1; n <= 1_500; n += 1) queue.push(line(n));
  await clock.advance(1_000);
  t.deepEqual(
    batches.map((batch) => batch.length),
    [1_000, 500],
  );
  for (let n = 1_501; n <= 1_504; n += 1) queue.push(line(n, 600_000));
  queue.push(line(1_505, 3_000_000));
  await clock.advance(1_000);
  t.deepEqual(batches.slice(2), [[1_501], [1_502], [1_503], [1_504], [1_505]]);
});

test('a sink that fails is given the same lines again, less and less often, until it takes them', async (t) => {
  const { clock, queue, batches, push, sink, problems } = queueOn({}, () => Promise.reject(new Error('no space left')));
  push(1, 2);
  await clock.advance(60_000);
  t.true(batches.length > 5 && batches.length < 20, `${batches.length} attempts in a minute`);
  t.true(batches.every((batch) => batch.join() === '1,2'));
  t.deepEqual(problems.length, 1, 'it is told once, not at every attempt');
  sink.write = async () => ({});
  await clock.advance(10_000);
  t.false(queue.isFailing);
  t.is(queue.counts.waiting, 0);
});

test('when the buffer is full, a request waits for room and goes on when there is some', async (t) => {
  const gate = Promise.withResolvers<AuditWritten>();
  const { clock, queue, push } = queueOn({}, () => gate.promise);
  push(1, 2, 3, 4, 5, 6, 7, 8);
  t.false(queue.reserve(3));
  let hasRoom = false;
  const waiting = queue.waitForRoom(3).then(() => (hasRoom = true));
  await clock.advance(500);
  t.false(hasRoom);
  gate.resolve({});
  await clock.advance(1);
  await waiting;
  t.true(hasRoom);
});

test('a request that waits too long for room is refused with 503 and told when to come again', async (t) => {
  const { clock, queue, push } = queueOn({}, () => new Promise(() => {}));
  push(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
  const refused = t.throwsAsync(queue.waitForRoom(3), unavailable);
  await clock.advance(1_000);
  const error = await refused;
  t.true(isTapError(error) && error.spec.httpStatus === 503 && error.retryAfterMs === 1_000);
});

test('with onOverflow refuse, no request waits for space', async (t) => {
  const { queue, push } = queueOn({ onOverflow: 'refuse' }, () => new Promise(() => {}));
  push(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
  await t.throwsAsync(queue.waitForRoom(1), unavailable);
});

test('bytes fill the buffer too', async (t) => {
  const { queue } = queueOn({ bufferBytesMax: 1_000 }, () => new Promise(() => {}));
  queue.push(line(1, 1_000));
  t.false(queue.reserve(1));
  await settled();
});

test('with onOverflow drop, requests go on, and what was left out is counted and told once there is room', async (t) => {
  const gate = Promise.withResolvers<AuditWritten>();
  const { clock, queue, push, batches, dropped } = queueOn({ onOverflow: 'drop' }, () => gate.promise);
  push(...Array.from({ length: 15 }, (_, n) => n + 1));
  t.deepEqual(queue.counts, { waiting: 10, dropped: 5 });
  t.deepEqual(dropped, []);
  gate.resolve({});
  await clock.advance(100);
  t.deepEqual(dropped, [{ count: 5, from: 11, to: 15 }]);
  t.deepEqual(batches, [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]);
  push(16);
  await clock.advance(100);
  t.deepEqual(batches.at(-1), [16]);
});

test('whoever waits for a line goes on when it is kept', async (t) => {
  const gate = Promise.withResolvers<AuditWritten>();
  const { clock, queue, push } = queueOn({ mode: 'blocking' }, () => gate.promise);
  push(1);
  let isKept = false;
  const kept = queue.whenStored(1).then(() => (isKept = true));
  await clock.advance(900);
  t.false(isKept);
  gate.resolve({});
  await clock.advance(0);
  await kept;
  await queue.whenStored(1);
});

test('a sink that hangs keeps a request no longer than it may wait', async (t) => {
  const { clock, queue, push } = queueOn({ mode: 'blocking' }, () => new Promise(() => {}));
  push(1);
  const refused = t.throwsAsync(queue.whenStored(1), unavailable);
  await clock.advance(1_000);
  await refused;
});

test('while a blocking sink is failing, requests are refused at once', async (t) => {
  const { clock, queue, push } = queueOn({ mode: 'blocking' }, () => Promise.reject(new Error('gone')));
  push(1);
  const refused = t.throwsAsync(queue.whenStored(1), unavailable);
  await clock.advance(0);
  await refused;
  t.throws(() => queue.refuseWhileFailing(), unavailable);
});

test('stopping writes what waits, and a sink that hangs holds it up only so long', async (t) => {
  const { clock, queue, push, batches } = queueOn();
  push(1, 2);
  const stopped = queue.stop(500);
  await clock.advance(0);
  t.is(await stopped, 0);
  t.deepEqual(batches, [[1, 2]]);
  const hanging = queueOn({}, () => new Promise(() => {}));
  hanging.push(1, 2, 3);
  const late = hanging.queue.stop(500);
  await hanging.clock.advance(500);
  t.is(await late, 3);
});

test('stopping tries a failing sink again soon', async (t) => {
  const { clock, queue, push, sink } = queueOn({}, () => Promise.reject(new Error('busy')));
  push(1);
  await clock.advance(30_000);
  sink.write = async () => ({});
  const stopped = queue.stop(500);
  await clock.advance(200);
  t.is(await stopped, 0);
});

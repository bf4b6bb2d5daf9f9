import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { logFiles } from '../dist/agent/log/log-files.js';
import { LineSplitter, parseEntry, pieceBytesMax } from '../dist/agent/log/log-line.js';
import { LogPump } from '../dist/agent/log/log-pump.js';
import { readLog, type LogQuery } from '../dist/agent/log/log-query.js';
import { withSmallDisk, resizeDisk, smallDisk } from '../../../test/small-disk.ts';
import { clock, never, until } from './support/local-cluster.ts';

function files(t: ExecutionContext) {
  const directory = mkdtempSync(join(tmpdir(), 'tappaas-log-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return logFiles(directory, 1);
}

const pump = (from: ReturnType<typeof logFiles>, logBytesMax = 1_000_000) => new LogPump(from, clock, () => logBytesMax);
const plain: LogQuery = { follow: false, timestamps: false };

async function textOf(lines: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const line of lines) text += line;
  return text;
}

test('output becomes entries with time and stream, in the form of kubelets', async (t) => {
  const at = files(t);
  writeFileSync(at.stdout, 'one\ntwo');
  writeFileSync(at.stderr, 'oops\n');
  const log = pump(at);
  log.drain();
  await log.close();
  const lines = readFileSync(at.log, 'utf8').trimEnd().split('\n');
  t.deepEqual(
    lines.map((line) => line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z/, 'TIME')),
    ['TIME stdout F one', 'TIME stderr F oops', 'TIME stdout F two'],
  );
});

test('a pump that was dropped at any moment is followed by one that neither loses nor doubles', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom('write', 'drain', 'kill'), fc.string({ minLength: 1, maxLength: 5 })), { maxLength: 30 }),
      async (steps) => {
        const at = files(t);
        let log = pump(at);
        let written = '';
        for (const [what, text] of steps) {
          if (what === 'write') {
            const line = `${text.replaceAll('\n', '')}\n`;
            written += line;
            appendFileSync(at.stdout, line);
          } else if (what === 'drain') log.drain();
          else log = pump(at);
        }
        await log.close();
        const kept = readFileSync(at.log, 'utf8')
          .split('\n')
          .slice(0, -1)
          .map((line) => parseEntry(line)?.text);
        return kept.join('\n') === written.split('\n').slice(0, -1).join('\n');
      },
    ),
    { numRuns: 60 },
  );
  t.pass();
});

test('an entry whose position was not kept is cut off and written once', async (t) => {
  const at = files(t);
  writeFileSync(at.stdout, 'one\n');
  pump(at).drain();
  appendFileSync(at.log, '2026-01-01T00:00:00.000000000Z stdout F two\n');
  appendFileSync(at.stdout, 'two\n');
  const next = pump(at);
  next.drain();
  await next.close();
  t.deepEqual(
    readFileSync(at.log, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => parseEntry(line)?.text),
    ['one', 'two'],
  );
});

test('a log is rotated at its limit, and the raw file is emptied when it has been read', async (t) => {
  const at = files(t);
  const log = pump(at, 100_000);
  const line = `${'x'.repeat(999)}\n`;
  for (let part = 0; part < 5; part += 1) {
    appendFileSync(at.stdout, line.repeat(1000));
    for (let turn = 0; turn < 4; turn += 1) log.drain();
  }
  t.true(statSync(at.log).size <= 1_200_000);
  t.true(statSync(at.older).size > 0);
  t.true(statSync(at.stdout).size < 4 * 1024 * 1024, `${statSync(at.stdout).size}`);
  appendFileSync(at.stdout, 'after\n');
  log.drain();
  t.is(await textOf(readLog(at, { ...plain, tailLines: 1 }, log, never)), 'after\n');
  await log.close();
});

const textsIn = (path: string): (string | undefined)[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => parseEntry(line)?.text);

test('the end of a process that has written much holds up nobody, and its log is what rotation leaves', async (t) => {
  const at = files(t);
  const lines = 150_000;
  const text = (index: number): string => `${index} ${'x'.repeat(90)}`;
  for (let index = 0; index < lines; index += 10_000)
    appendFileSync(at.stdout, Array.from({ length: 10_000 }, (_, one) => `${text(index + one)}\n`).join(''));
  writeFileSync(at.stderr, 'oops\n');
  const log = pump(at, 3_000_000);
  let turns = 0;
  const over = new AbortController();
  const others = (async () => {
    for (; !over.signal.aborted; turns += 1) await turn();
  })();
  t.true(await log.close());
  over.abort();
  await others;
  t.true(turns >= 6, `${turns} turns`);
  const kept = [...textsIn(at.older), ...textsIn(at.log)].filter((line) => line !== 'oops');
  t.true(kept.length > 3_000_000 / 140, `${kept.length} lines`);
  t.true(kept.every((line, index) => line === text(lines - kept.length + index)));
});

test('a pump that is abandoned while it closes leaves the rest to the next one', async (t) => {
  const at = files(t);
  const lines = Array.from({ length: 20_000 }, (_, index) => `${index} ${'x'.repeat(90)}`);
  writeFileSync(at.stdout, `${lines.join('\n')}\n`);
  const log = pump(at, 100_000_000);
  const closing = log.close();
  log.abandon();
  t.false(await closing);
  t.true(await pump(at, 100_000_000).close());
  t.is(textsIn(at.log).join('\n'), lines.join('\n'));
});

test('a log that cannot be rotated goes on as it is, and is rotated when it can be', async (t) => {
  const at = files(t);
  const log = pump(at, 1_000);
  mkdirSync(join(at.older, 'in-the-way'), { recursive: true });
  const lines = Array.from({ length: 50 }, (_, index) => `line ${index}`);
  for (const line of lines) {
    appendFileSync(at.stdout, `${line}\n`);
    log.drain();
  }
  t.deepEqual(textsIn(at.log), lines);
  rmSync(at.older, { recursive: true });
  appendFileSync(at.stdout, 'after\n');
  log.drain();
  t.deepEqual(textsIn(at.older), [...lines, 'after']);
  t.deepEqual(textsIn(at.log), []);
  await log.close();
});

withSmallDisk('what a full disk does not take is written once as soon as it has room again', async (t) => {
  const directory = smallDisk(t, 1);
  const at = logFiles(directory, 1);
  // The disk has room for the raw output, but not for the log, which also contains times.
  const lines = Array.from({ length: 12_000 }, (_, index) => `${index} ${'x'.repeat(40)}`);
  writeFileSync(at.stdout, `${lines.join('\n')}\n`);
  const log = pump(at, 100_000_000);
  log.start();
  log.drain();
  await until('polled again', () => clock.sleep(1_200, never).then(() => true));
  t.true(textsIn(at.log).length < lines.length);
  resizeDisk(directory, 16);
  await until('all is written', () => textsIn(at.log).length >= lines.length);
  t.is(textsIn(at.log).join('\n'), lines.join('\n'));
  appendFileSync(at.stdout, 'after\n');
  await until('goes on', () => textsIn(at.log).at(-1) === 'after');
  t.true(await log.close());
});

withSmallDisk('a process that ends while the disk is full ends, with what of its log there was room for', async (t) => {
  const at = logFiles(smallDisk(t, 1), 1);
  writeFileSync(at.stdout, `${'x'.repeat(40)}\n`.repeat(12_000));
  const soon: typeof clock = { nowMs: () => clock.nowMs(), sleep: (_, signal) => clock.sleep(1, signal) };
  const log = new LogPump(at, soon, () => 100_000_000);
  t.true(await log.close());
  t.true(await new LogPump(at, soon, () => 100_000_000).close(), 'the next one reads what the last has left');
});

test('a query picks by lines, time and bytes, and joins the parts of long lines', async (t) => {
  const at = files(t);
  const long = 'y'.repeat(pieceBytesMax * 2 + 10);
  writeFileSync(
    at.log,
    [
      '2026-01-01T00:00:00.000000000Z stdout F first',
      '2026-01-01T00:00:01.000000000Z stderr F second',
      '2026-01-01T00:00:02.500000000Z stdout F third',
      '',
    ].join('\n'),
  );
  const ask = (query: Partial<LogQuery>) => textOf(readLog(at, { ...plain, ...query }, undefined, never));
  t.is(await ask({}), 'first\nsecond\nthird\n');
  t.is(await ask({ tailLines: 2 }), 'second\nthird\n');
  t.is(await ask({ tailLines: 0 }), '');
  t.is(await ask({ sinceMs: Date.parse('2026-01-01T00:00:01Z') }), 'second\nthird\n');
  t.is(await ask({ limitBytes: 8 }), 'first\nse');
  t.is(await ask({ tailLines: 1, timestamps: true }), '2026-01-01T00:00:02.500000000Z third\n');
  rmSync(at.log);
  writeFileSync(at.stdout, `${long}\nshort\n`);
  const log = pump(at);
  await log.close();
  t.is(await ask({}), `${long}\nshort\n`);
});

test('a follower sees everything once, from before and after it came, and ends with the container', async (t) => {
  const at = files(t);
  writeFileSync(at.stdout, 'before\n');
  const log = pump(at);
  log.start();
  const following = textOf(readLog(at, { ...plain, follow: true }, log, never));
  for (let index = 0; index < 20; index += 1) {
    appendFileSync(at.stdout, `${index}\n`);
    if (index % 5 === 0) await until('read', () => readFileSync(at.log, 'utf8').includes(`F ${index}\n`));
  }
  await log.close();
  t.is(await following, ['before', ...Array.from({ length: 20 }, (_, index) => String(index)), ''].join('\n'));
});

test('a follower that goes away is let go', async (t) => {
  const at = files(t);
  const log = pump(at);
  const gone = new AbortController();
  const following = textOf(readLog(at, { ...plain, follow: true }, log, gone.signal));
  gone.abort();
  t.is(await following, '');
  await log.close();
});

test('lines are the same however their bytes arrive, and no character is cut', (t) => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => text.replaceAll('\n', '')),
        { maxLength: 10 },
      ),
      fc.integer({ min: 1, max: 7 }),
      (lines, size) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const splitter = new LineSplitter();
        const found: string[] = [];
        for (let at = 0; at < bytes.length; at += size) found.push(...splitter.take(bytes.subarray(at, at + size)).map(({ text }) => text));
        return found.join('\n') === lines.join('\n') && splitter.pendingBytes === 0;
      },
    ),
  );
  const splitter = new LineSplitter();
  const pieces = splitter.take(Buffer.from('ü'.repeat(pieceBytesMax)));
  t.true(pieces.every(({ text }) => /^ü+$/.test(text)));
});

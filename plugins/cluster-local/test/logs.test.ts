import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { logFiles } from '../dist/agent/log/log-files.js';
import { LineSplitter, parseEntry, pieceBytesMax } from '../dist/agent/log/log-line.js';
import { LogPump } from '../dist/agent/log/log-pump.js';
import { readLog, type LogQuery } from '../dist/agent/log/log-query.js';
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

test('output becomes entries with time and stream, in the form of kubelets', (t) => {
  const at = files(t);
  writeFileSync(at.stdout, 'one\ntwo');
  writeFileSync(at.stderr, 'oops\n');
  const log = pump(at);
  log.drain();
  log.close();
  const lines = readFileSync(at.log, 'utf8').trimEnd().split('\n');
  t.deepEqual(
    lines.map((line) => line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z/, 'TIME')),
    ['TIME stdout F one', 'TIME stderr F oops', 'TIME stdout F two'],
  );
});

test('a pump that was dropped at any moment is followed by one that neither loses nor doubles', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('write', 'drain', 'kill'), fc.string({ minLength: 1, maxLength: 5 })), { maxLength: 30 }),
      (steps) => {
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
        log.close();
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

test('an entry whose position was not kept is cut off and written once', (t) => {
  const at = files(t);
  writeFileSync(at.stdout, 'one\n');
  pump(at).drain();
  appendFileSync(at.log, '2026-01-01T00:00:00.000000000Z stdout F two\n');
  appendFileSync(at.stdout, 'two\n');
  const next = pump(at);
  next.drain();
  next.close();
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
  log.close();
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
  log.close();
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
  log.close();
  t.is(await following, ['before', ...Array.from({ length: 20 }, (_, index) => String(index)), ''].join('\n'));
});

test('a follower that goes away is let go', async (t) => {
  const at = files(t);
  const log = pump(at);
  const gone = new AbortController();
  const following = textOf(readLog(at, { ...plain, follow: true }, log, gone.signal));
  gone.abort();
  t.is(await following, '');
  log.close();
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

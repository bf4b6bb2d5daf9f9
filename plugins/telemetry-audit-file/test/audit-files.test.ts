import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { AuditLine } from '@tappaas/sdk';
import test from 'ava';
import { AuditFiles, type AuditFilesSettings } from '../dist/audit-files.js';

const scratch = await mkdtemp(join(tmpdir(), 'audit-files-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));
const run = promisify(execFile);

const settings = async (more: Partial<AuditFilesSettings> = {}): Promise<AuditFilesSettings> => ({
  directory: await mkdtemp(join(scratch, 'case-')),
  fileBytesMax: 5_000,
  totalBytesMax: 1_000_000,
  keepDays: 30,
  ...more,
});
const line = (sequence: number, bytes = 1_000): AuditLine => {
  const text = `{"chain":"r0","sequence":${sequence},"previous":"${'x'.repeat(bytes)}"}`;
  return { chain: 'r0', sequence, text };
};
const range = (from: number, to: number, bytes?: number) => Array.from({ length: to - from + 1 }, (_, n) => line(from + n, bytes));
const files = async (directory: string) => (await readdir(directory)).toSorted();
const nowMs = () => Date.now();

test('a file that is large enough is followed by the next, named by its first line', async (t) => {
  const given = await settings();
  const sink = await AuditFiles.open(given, nowMs);
  for (let n = 1; n <= 12; n += 1) await sink.write([line(n)]);
  t.deepEqual(await files(given.directory), ['r0-0000000000000001.audit', 'r0-0000000000000006.audit', 'r0-0000000000000011.audit']);
  t.deepEqual(
    (await sink.read('r0', 8, 100)).map(({ sequence }) => sequence),
    [7, 6],
  );
  t.deepEqual(
    (await sink.read('r0', 6, 100)).map(({ sequence }) => sequence),
    [5, 4, 3, 2, 1],
  );
  t.is((await stat(join(given.directory, 'r0-0000000000000001.audit'))).mode & 0o777, 0o600);
  await sink.close();
});

test('lines that lie beside each other are written as the bytes they are; of those a failure has left, none twice', async (t) => {
  const given = await settings();
  const sink = await AuditFiles.open(given, nowMs);
  const asBytes = (lines: readonly AuditLine[]) => Buffer.from(lines.map(({ text }) => `${text}\n`).join(''));
  const lines = range(1, 4, 10);
  await sink.write(Object.assign(lines.slice(0, 3), { pieces: [asBytes(lines.slice(0, 1)), asBytes(lines.slice(1, 3))] }));
  await sink.write(Object.assign(lines, { pieces: [asBytes(lines)] }));
  t.is(await readFile(join(given.directory, 'r0-0000000000000001.audit'), 'utf8'), asBytes(lines).toString());
  await sink.close();
});

test('a line that a crash has cut off is taken away and told; whole lines stay', async (t) => {
  const given = await settings();
  const first = await AuditFiles.open(given, nowMs);
  await first.write(range(1, 3));
  await first.close();
  const path = join(given.directory, 'r0-0000000000000001.audit');
  const whole = await readFile(path, 'utf8');
  await appendFile(path, line(4).text.slice(0, 700));
  const second = await AuditFiles.open(given, nowMs);
  const end = await second.end('r0');
  t.is(end.tornBytes, 700);
  t.is(end.line?.sequence, 3);
  t.is(await readFile(path, 'utf8'), whole);
  await second.write([line(4)]);
  t.is((await second.end('r0')).line?.sequence, 4);
  await second.close();
});

test('a file of which only a piece of its first line is there leaves the one before as the end', async (t) => {
  const given = await settings();
  const sink = await AuditFiles.open(given, nowMs);
  await sink.write(range(1, 3));
  await writeFile(join(given.directory, 'r0-0000000000000004.audit'), '{"chain":"r0","sequ');
  t.deepEqual({ ...(await sink.end('r0')), line: undefined }, { tornBytes: 19, line: undefined });
  await sink.close();
  const again = await AuditFiles.open(given, nowMs);
  await again.write([line(4)]);
  t.is((await again.end('r0')).line?.sequence, 4);
  await again.close();
});

test('lines that somebody has made unreadable are left as evidence', async (t) => {
  const given = await settings();
  const sink = await AuditFiles.open(given, nowMs);
  await sink.write(range(1, 3));
  await sink.close();
  const path = join(given.directory, 'r0-0000000000000001.audit');
  await appendFile(path, 'rubbish\n');
  const again = await AuditFiles.open(given, nowMs);
  t.is((await again.end('r0')).line?.sequence, 3);
  await again.write([line(4)]);
  t.regex(await readFile(path, 'utf8'), /rubbish\n\{"chain":"r0","sequence":4/);
  await again.close();
});

test('a write that fails half-way leaves nothing of it, and the same lines are kept when there is room again', async (t) => {
  const given = await settings({ fileBytesMax: 1_000_000 });
  const child = `
    import { AuditFiles } from ${JSON.stringify(new URL('../dist/audit-files.js', import.meta.url).href)};
    const line = (n) => ({ chain: 'r0', sequence: n, text: '{"chain":"r0","sequence":' + n + ',"previous":"' + 'x'.repeat(1000) + '"}' });
    const sink = await AuditFiles.open(${JSON.stringify(given)}, () => 0);
    await sink.write([1, 2, 3].map(line));
    const error = await sink.write(Array.from({ length: 20 }, (_, n) => line(4 + n))).catch((error) => error);
    console.log(error.code, error.spec?.blame);
    const again = await sink.end('r0');
    console.log(again.line.sequence);
  `;
  const { stdout } = await run('bash', ['-c', 'ulimit -f 8; exec "$0" --input-type=module -e "$1"', process.execPath, child]);
  t.regex(stdout, /^TELEMETRY_AUDIT_FILE_FAILED upstream\n\d+\n$/);
  const sink = await AuditFiles.open(given, nowMs);
  await sink.write(range(4, 23));
  const stored: number[] = [];
  for (let before = Infinity; ; before = stored.at(-1) ?? 0) {
    const page = await sink.read('r0', before, 100);
    if (page.length === 0) break;
    stored.push(...page.map(({ sequence }) => sequence));
  }
  t.deepEqual(
    stored,
    Array.from({ length: 23 }, (_, n) => 23 - n),
  );
  await sink.close();
});

test('files that are too much are proposed for removal, and removed when the platform says so', async (t) => {
  const given = await settings({ totalBytesMax: 12_000 });
  const sink = await AuditFiles.open(given, nowMs);
  const proposed: number[] = [];
  for (let n = 1; n <= 16; n += 1) {
    const { removesBefore } = await sink.write([line(n)]);
    if (removesBefore !== undefined) proposed.push(removesBefore);
  }
  t.deepEqual(proposed, [6]);
  t.is((await files(given.directory)).length, 4);
  await sink.remove('r0', 6);
  t.deepEqual((await files(given.directory))[0], 'r0-0000000000000006.audit');
  await sink.remove('r0', 8);
  t.deepEqual((await files(given.directory))[0], 'r0-0000000000000006.audit', 'files that hold later lines stay');
  await sink.remove('r0', 1_000);
  t.is((await files(given.directory)).length, 1, 'the one that is written stays');
  await sink.close();
});

test('files that are too old are proposed for removal', async (t) => {
  const given = await settings();
  const sink = await AuditFiles.open(given, nowMs);
  await sink.write(range(1, 5));
  const [first = ''] = await files(given.directory);
  const longAgo = new Date(Date.now() - 31 * 86_400_000);
  await utimes(join(given.directory, first), longAgo, longAgo);
  t.deepEqual(await sink.write([line(6)]), { removesBefore: 6 });
  await sink.close();
});

test('files that become too old while little is written are proposed within the hour, full or not', async (t) => {
  const given = await settings();
  const earlier = await AuditFiles.open(given, nowMs);
  await earlier.write(range(1, 5));
  await earlier.write([line(6)]);
  await earlier.close();
  const [first = ''] = await files(given.directory);
  const dayMs = 86_400_000;
  const writtenMs = Date.now() - 29.9 * dayMs;
  await utimes(join(given.directory, first), new Date(writtenMs), new Date(writtenMs));
  let now = Date.now();
  const sink = await AuditFiles.open(given, () => now);
  t.deepEqual(await sink.write([line(7)]), {});
  now += dayMs;
  t.deepEqual(await sink.write([line(8)]), { removesBefore: 6 });
  t.deepEqual(await sink.write([line(9)]), {}, 'once an hour');
  await sink.close();
});

test('what a chain has that nobody writes on expires whole: the next line begins a file, and the old one can go', async (t) => {
  const given = await settings();
  const earlier = await AuditFiles.open(given, nowMs);
  await earlier.write(range(1, 3));
  await earlier.close();
  const [first = ''] = await files(given.directory);
  let now = Date.now();
  const sink = await AuditFiles.open(given, () => now);
  t.false(await sink.hasExpired('r0'));
  t.false(await sink.hasExpired('none'));
  now += 31 * 86_400_000;
  t.true(await sink.hasExpired('r0'));
  t.is((await sink.end('r0')).line?.sequence, 3);
  t.deepEqual(await sink.write([line(4)]), { removesBefore: 4 });
  await sink.remove('r0', 4);
  t.deepEqual(await files(given.directory), ['r0-0000000000000004.audit']);
  t.not(first, 'r0-0000000000000004.audit');
  await sink.close();
});

test('a chain that this process has written on expires like any other, without a start in between', async (t) => {
  const given = await settings();
  let now = Date.now();
  const sink = await AuditFiles.open(given, () => now);
  await sink.write(range(1, 3));
  t.deepEqual(await sink.write([line(4)]), {});
  now += 31 * 86_400_000;
  t.true(await sink.hasExpired('r0'));
  t.deepEqual(await sink.write([line(5)]), { removesBefore: 5 });
  t.deepEqual(await files(given.directory), ['r0-0000000000000001.audit', 'r0-0000000000000005.audit']);
  await sink.close();
});

test('lines are as old as they were when a piece behind them has been taken away', async (t) => {
  const given = await settings();
  const earlier = await AuditFiles.open(given, nowMs);
  await earlier.write(range(1, 3));
  await earlier.close();
  const [first = ''] = await files(given.directory);
  await appendFile(join(given.directory, first), '{"chain":"r0"');
  const longAgo = new Date(Date.now() - 31 * 86_400_000);
  await utimes(join(given.directory, first), longAgo, longAgo);
  const sink = await AuditFiles.open(given, nowMs);
  t.true((await sink.end('r0')).tornBytes > 0);
  t.true(await sink.hasExpired('r0'));
  t.deepEqual(await sink.write([line(4)]), { removesBefore: 4 });
  await sink.close();
});

test('all chains together are counted, and each gives up its own oldest files', async (t) => {
  const given = await settings({ totalBytesMax: 16_000 });
  const sink = await AuditFiles.open(given, nowMs);
  const other = range(1, 8).map(({ sequence, text }) => ({ chain: 'w1', sequence, text: text.replace('"r0"', '"w1"') }));
  for (const each of other) await sink.write([each]);
  const proposed: (number | undefined)[] = [];
  for (let n = 1; n <= 11; n += 1) proposed.push((await sink.write([line(n)])).removesBefore);
  t.deepEqual(
    proposed.filter((before) => before !== undefined),
    [6],
    'not before both are too much together',
  );
  await sink.close();
});

test('lines of any size are found again by their numbers', async (t) => {
  const given = await settings({ fileBytesMax: 100_000_000 });
  const sink = await AuditFiles.open(given, nowMs);
  const sizes = [10, 300_000, 5, 1_200_000, 40, 262_144, 262_100, 1, 700_000, 3];
  await sink.write(sizes.map((bytes, n) => line(n * 3 + 1, bytes)));
  for (let before = 1; before <= 32; before += 1) {
    const [newest] = await sink.read('r0', before, 1);
    const expected = sizes.map((_, n) => n * 3 + 1).findLast((sequence) => sequence < before);
    t.is(newest?.sequence, expected, `before ${before}`);
    if (newest !== undefined) t.is(newest.text, line(newest.sequence, sizes[(newest.sequence - 1) / 3]).text);
  }
  await sink.close();
});

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';

const writes = 40;

/** Source of a process that makes a number of consecutive transactions. */
const program = `
import { openSqliteStore } from ${JSON.stringify(new URL('../dist/store.js', import.meta.url).href)};
const clock = { nowMs: () => Date.now(), sleep: () => new Promise(() => undefined) };
const store = await openSqliteStore({ directory: process.argv[1], clock });
for (let index = 0; index < ${writes}; index++) await store.transact({ changes: [{ put: 'a', value: Buffer.from(String(index)) }] });
process.kill(process.pid, 'SIGKILL');
`;

function canTrace(): boolean {
  return spawnSync('strace', ['-c', '-o', '/dev/null', 'true']).status === 0;
}

test('every transaction that is acknowledged alone has been flushed by the system', async (t) => {
  if (!canTrace()) return t.pass('strace is not installed or not allowed here');
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-flushes-'));
  const trace = join(directory, 'trace');
  spawnSync('strace', [
    '-f',
    '-e',
    'trace=fsync,fdatasync',
    '-o',
    trace,
    process.execPath,
    '--input-type=module',
    '-e',
    program,
    join(directory, 'data'),
  ]);
  const flushes = Number(execFileSync('grep', ['-c', '-E', 'f(data)?sync\\(.*= 0|f(data)?sync resumed>.*= 0', trace]).toString());
  t.true(flushes >= writes, `${flushes} flushes for ${writes} transactions`);
  await rm(directory, { recursive: true });
});

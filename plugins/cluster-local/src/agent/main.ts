/** The node agent’s process: `node main.js DIRECTORY`. Exits with 0, or with 75 when another agent uses the directory. */
import { randomBytes } from 'node:crypto';
import { ftruncateSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '@tappaas/sdk';
import { Agent } from './agent.js';
import { AgentLock } from './agent-lock.js';
import { lineLogger } from './line-logger.js';
import { files, type AgentSettings } from './settings.js';

/** Size at which the agent's own log is emptied, bytes. */
const logBytesMax = 8 * 1024 * 1024;
const directory = process.argv[2];
if (directory === undefined) throw new Error('expected the directory of the agent as the only argument');

const clock: Clock = { nowMs: Date.now, sleep: (ms, signal) => wait(ms, undefined, { signal }) };
let logBytes = 0;
const log = lineLogger(clock, (line) => {
  logBytes += line.length;
  // The file is open for appending, so truncating it is enough to bound its size.
  if (logBytes > logBytesMax) {
    ftruncateSync(process.stderr.fd, 0);
    logBytes = 0;
  }
  process.stderr.write(line);
});

process.on('unhandledRejection', (error) => log.error('unhandled', { error: error instanceof Error ? error.stack : String(error) }));
process.on('uncaughtException', (error) => log.error('uncaught', { error: error.stack }));

const lock = AgentLock.take(join(directory, files.lock));
if (lock === undefined) {
  log.info('another agent works in this directory', { directory });
  process.exit(75);
}

const readSettings = async () => JSON.parse(await readFile(join(directory, files.settings), 'utf8')) as AgentSettings;
const { PATH = '/usr/local/bin:/usr/bin:/bin', LANG = 'C.UTF-8', TZ } = process.env;
const agent = new Agent({
  directory,
  settings: await readSettings(),
  readSettings,
  clock,
  log,
  random: Math.random,
  token: randomBytes(32).toString('base64url'),
  base: { PATH: [dirname(process.execPath), PATH].join(delimiter), LANG, ...(TZ === undefined ? {} : { TZ }) },
  runtimeVersion: process.version,
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => agent.end({ pods: 'end', graceMs: 30_000 }));
process.on('SIGHUP', () => undefined);

await agent.run();
lock.release();
process.exit(0);

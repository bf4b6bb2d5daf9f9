import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';
import { loginDirectory } from './login-file.js';
import type { Terminal } from './terminal.js';

/** Longer than the time limit for responses of a provider. */
const waitMsMax = 25_000;
const pollMs = 50;

/**
 * Runs while no other command on this machine changes the same stored login. The operating system releases the lock when its holder ends,
 * in whatever way.
 *
 * SQLite is used only for its file lock, because Node has no other portable one.
 *
 * @throws CliError when the lock does not become free in time
 */
export async function withLoginLock<T>(env: Terminal['env'], run: () => Promise<T>): Promise<T> {
  const path = join(await loginDirectory(env), 'login.lock');
  // Loaded lazily, because only few commands change a login.
  const { DatabaseSync } = await import('node:sqlite');
  for (let waitedMs = 0; waitedMs < waitMsMax; waitedMs += pollMs) {
    const lock = new DatabaseSync(path, { timeout: 0 });
    try {
      lock.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      lock.close();
      if (!(error as Error).message.includes('locked')) throw error;
      await sleep(pollMs);
      continue;
    }
    try {
      return await run();
    } finally {
      lock.close();
    }
  }
  throw new CliError(`another command has been changing the login for ${waitMsMax / 1000} s`, {
    remedy: `Give the command again, and end the process that holds ${path} if that happens again.`,
    exitCode: exitCodes.unavailable,
  });
}

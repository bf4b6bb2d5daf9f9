import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { replaceFile } from '@tappaas/sdk/durable-file';
import type { Connection } from './connection.js';
import type { Terminal } from './terminal.js';

/** Path of the stored login: below $TAPPAAS_HOME, else $XDG_CONFIG_HOME/tappaas, else ~/.config/tappaas. */
export function loginFile(env: Terminal['env']): string {
  const home = env['TAPPAAS_HOME'] ?? join(env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? '.', '.config'), 'tappaas');
  return join(home, 'login.json');
}

/** Reads the stored login; undefined when there is none or it is unreadable. */
export async function readLogin(env: Terminal['env']): Promise<Connection | undefined> {
  const text = await readFile(loginFile(env), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Connection;
  } catch {
    return undefined;
  }
}

/** Stores a login, readable by its owner only. */
export async function writeLogin(env: Terminal['env'], login: Connection): Promise<string> {
  const path = loginFile(env);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await replaceFile(path, `${JSON.stringify(login, null, 2)}\n`);
  return path;
}

/** Removes the stored login. */
export async function removeLogin(env: Terminal['env']): Promise<{ readonly path: string; readonly existed: boolean }> {
  const path = loginFile(env);
  const existed = await stat(path).then(
    () => true,
    () => false,
  );
  await rm(path, { force: true });
  return { path, existed };
}

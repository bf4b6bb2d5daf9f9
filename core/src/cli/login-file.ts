import { access, constants, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { replaceFile } from '@tappaas/sdk/durable-file';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';
import type { Connection } from './connection.js';
import type { Terminal } from './terminal.js';

/** Path of the stored login: below $TAPPAAS_HOME, else $XDG_CONFIG_HOME/tappaas, else ~/.config/tappaas. */
export function loginFile(env: Terminal['env']): string {
  const home = env['TAPPAAS_HOME'] ?? join(env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? '.', '.config'), 'tappaas');
  return join(home, 'login.json');
}

/** Makes the directory of the stored login, which is for its owner only. @throws CliError when nothing can be written there */
export async function loginDirectory(env: Terminal['env']): Promise<string> {
  const directory = dirname(loginFile(env));
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await access(directory, constants.W_OK);
    return directory;
  } catch (cause) {
    throw new CliError(`no login can be stored in ${directory} (${(cause as NodeJS.ErrnoException).code ?? String(cause)})`, {
      remedy: 'Name a directory of yours in $TAPPAAS_HOME, or let this user write there.',
      exitCode: exitCodes.failed,
      cause,
    });
  }
}

/** Reads the stored login; undefined when there is none. @throws CliError when it is unreadable: nothing else may take its place silently */
export async function readLogin(env: Terminal['env']): Promise<Connection | undefined> {
  const path = loginFile(env);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unreadable(path, `cannot be read (${code})`, error);
  }
  const login = parsed(text);
  if (login === undefined) throw unreadable(path, 'is damaged: expected JSON with "server" and "token"');
  return login;
}

function parsed(text: string): Connection | undefined {
  try {
    const login = JSON.parse(text) as Partial<Connection> | null;
    const isWhole = typeof login?.server === 'string' && URL.canParse(login.server) && typeof login.token === 'string';
    return isWhole ? (login as Connection) : undefined;
  } catch {
    return undefined;
  }
}

function unreadable(path: string, why: string, cause?: unknown): CliError {
  return new CliError(`the stored login ${path} ${why}`, {
    remedy: 'Log in again with tappaas login SERVER, or remove it with tappaas logout.',
    exitCode: exitCodes.unavailable,
    cause,
  });
}

/** Stores a login, readable by its owner only. */
export async function writeLogin(env: Terminal['env'], login: Connection): Promise<string> {
  const path = loginFile(env);
  await loginDirectory(env);
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

import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { replaceFile } from '@tappaas/sdk/durable-file';
import { loginDirectory, loginFile } from './login-file.js';
import type { Terminal } from './terminal.js';

/** Why no login is stored, although there was one or somebody has begun one. */
export interface MissingLogin {
  readonly why: 'unfinished' | 'logged-out';
  /** The platform of the login; absent if that is unknown. */
  readonly server?: string;
}

type Env = Terminal['env'];

const fileOf = (env: Env): string => join(dirname(loginFile(env)), 'missing-login.json');

/** Records why the login is missing. It counts only while no login is stored. */
export async function writeMissingLogin(env: Env, missing: MissingLogin): Promise<void> {
  await loginDirectory(env);
  await replaceFile(fileOf(env), `${JSON.stringify(missing)}\n`);
}

/** Forgets it, because a login has succeeded. */
export const removeMissingLogin = (env: Env): Promise<void> => rm(fileOf(env), { force: true });

/** Explains why the login is missing, as the beginning of a sentence; undefined if nobody has tried to log in. */
export async function missingLogin(env: Env): Promise<string | undefined> {
  const text = await readFile(fileOf(env), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { why, server } = asMissing(text);
  const where = server === undefined ? '' : ` ${why === 'unfinished' ? 'at' : 'of'} ${server}`;
  return why === 'unfinished' ? `the login${where} was not finished` : `you have logged out${where}`;
}

/** A damaged file still says that there was a login. */
function asMissing(text: string): MissingLogin {
  try {
    const { why, server } = JSON.parse(text) as Partial<MissingLogin>;
    return { why: why === 'logged-out' ? why : 'unfinished', ...(typeof server === 'string' && { server }) };
  } catch {
    return { why: 'unfinished' };
  }
}

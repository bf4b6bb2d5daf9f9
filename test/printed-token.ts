/** The API token that `tappaas token create` prints once. */
import type { CommandResult } from './platform-process.ts';

/** @throws when the command failed, or printed no token */
export function printedToken({ code, stdout, stderr }: CommandResult): string {
  const token = /tapp_[0-9a-f]{12}_[A-Za-z0-9_-]{43}/.exec(stdout)?.[0];
  if (code !== 0 || token === undefined) throw new Error(`no token was printed; the command ended with ${code}: ${stderr}`);
  return token;
}

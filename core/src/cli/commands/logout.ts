import { exitCodes, type Invocation } from '../command.js';
import { readLogin, removeLogin } from '../login-file.js';
import { withLoginLock } from '../login-lock.js';
import { writeMissingLogin } from '../missing-login.js';
import { print } from '../print.js';

/** `tappaas logout`: removes the stored login; the token stays valid until it expires or is revoked. */
export async function logout(invocation: Invocation): Promise<number> {
  const { env } = invocation.terminal;
  const { path, existed } = await withLoginLock(env, async () => {
    // A damaged login is removed as well.
    const login = await readLogin(env).catch(() => undefined);
    const removed = await removeLogin(env);
    if (removed.existed) await writeMissingLogin(env, { why: 'logged-out', ...(login !== undefined && { server: login.server }) });
    return removed;
  });
  const done = existed ? `Logged out; removed ${path}.` : `Not logged in; there is no ${path}.`;
  const hint = existed ? 'The token stays good until it expires; tappaas token revoke NAME ends it.\n' : '';
  await print(invocation, { file: path, removed: existed }, () => `${done}\n${hint}`);
  return exitCodes.ok;
}

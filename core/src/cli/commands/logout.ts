import { exitCodes, type Invocation } from '../command.js';
import { removeLogin } from '../login-file.js';

/** `tappaas logout`: forgets the token here; it stays good until it expires or is revoked. */
export async function logout({ terminal }: Invocation): Promise<number> {
  const { path, existed } = await removeLogin(terminal.env);
  const done = existed ? `Logged out; removed ${path}.` : `Not logged in; there is no ${path}.`;
  terminal.stdout.write(`${done}\n${existed ? 'The token stays good until it expires; tappaas token revoke NAME ends it.\n' : ''}`);
  return exitCodes.ok;
}

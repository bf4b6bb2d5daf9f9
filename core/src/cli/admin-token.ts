import { ApiError } from '@tappaas/client';
import { tokenId } from '@tappaas/sdk/bearer-token';
import { exitCodes, type Invocation } from './command.js';
import { readLogin, writeLogin } from './login-file.js';
import { print } from './print.js';
import { isSameAddress } from './server-address.js';

const path = '/plugins/platform/admin-token';

interface Replaced {
  readonly token: string;
  readonly credentialId?: string;
}

/** `tappaas token rotate-admin`: replaces the token of the first administrator, and updates a stored login that used the old one. */
export async function rotateAdminToken(invocation: Invocation): Promise<number> {
  const { terminal } = invocation;
  const client = await invocation.client();
  const answer = await client.send(path, { method: 'POST', body: '' });
  if (answer.status >= 300) throw ApiError.of(answer);
  const replaced = JSON.parse(answer.text) as Replaced;
  const login = await readLogin(terminal.env);
  const isOurs =
    login !== undefined && isSameAddress(login.server, client.server) && replaced.credentialId === `token:${tokenId(login.token) ?? ''}`;
  const file = isOurs ? await writeLogin(terminal.env, { ...login, token: replaced.token }) : undefined;
  await print(invocation, { token: replaced.token, ...(file !== undefined && { file }) }, () => message(replaced.token, file));
  return exitCodes.ok;
}

function message(token: string, file: string | undefined): string {
  const stored = file === undefined ? '' : `, and in ${file}`;
  return `${token}\n\nThe old token of the first administrator is refused from now on. The new one is shown this once; it is kept in kubeconfig of the platform’s data directory${stored}.\n`;
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client, ClientOptions } from '@tappaas/client';
import type { Connection } from './connection.js';
import { CliError } from './cli-error.js';
import { exitCodes, type Invocation } from './command.js';
import { loginFile, readLogin } from './login-file.js';
import { missingLogin } from './missing-login.js';
import { isSameAddress, sayable, serverAddress } from './server-address.js';
import type { Terminal } from './terminal.js';
import { namingMissingPlugin } from './unserved.js';

/**
 * Finds the platform: from the environment, then from the stored login, then from the data of a platform in the current directory.
 *
 * The token of a login is sent only to the platform that it belongs to. The token of a platform in the current directory is that of its
 * administrator, so a remark says when it takes the place of a login.
 *
 * @throws CliError
 */
export async function connect(terminal: Terminal, server: string | undefined, remark: Invocation['remark']): Promise<Client> {
  const givenToken = terminal.env['TAPPAAS_TOKEN'];
  const givenServer = server ?? terminal.env['TAPPAAS_SERVER'];
  const stored = await storedLogin(terminal, givenToken === undefined || givenServer === undefined);
  const login = stored ?? (await besideUs(terminal.cwd));
  const url = givenServer === undefined ? login?.server : serverAddress(givenServer);
  const authority = login?.certificateAuthority ? { certificateAuthority: login.certificateAuthority } : {};
  if (givenToken !== undefined && url !== undefined) {
    return clientOf({ server: url, token: givenToken === '' ? '' : sayable(givenToken), ...authority });
  }
  if (login === undefined || url === undefined) {
    throw new CliError('not logged in', {
      remedy: `Run tappaas login SERVER with --token TOKEN, which the first start of a platform prints whole, or with --oidc. Looked in ${loginFile(terminal.env)}.`,
      exitCode: exitCodes.unavailable,
    });
  }
  if (!isSameAddress(url, login.server)) {
    throw new CliError(`the login is for ${login.server}, and its token is not sent to ${url}`, {
      remedy: `Give the token of ${url} in $TAPPAAS_TOKEN, or log in there with tappaas login ${url}.`,
      exitCode: exitCodes.usage,
    });
  }
  if (stored === undefined) await printTokenSource(terminal, remark);
  return clientOf({ server: url, token: await tokenOf(terminal, login), ...authority });
}

/** Reads the stored login; a damaged one prevents only what needs it. */
async function storedLogin({ env }: Terminal, isNeeded: boolean): Promise<Connection | undefined> {
  try {
    return await readLogin(env);
  } catch (error) {
    if (isNeeded) throw error;
    return undefined;
  }
}

/** Tells a user who has tried to log in, or has logged out, that the command runs as somebody else. */
async function printTokenSource({ env }: Terminal, remark: Invocation['remark']): Promise<void> {
  const why = await missingLogin(env);
  if (why === undefined) return;
  remark(`${why}, so this runs as the administrator, with the token in ${besideFile}; tappaas login SERVER logs you in`);
}

/** Returns the token of a login; for a login at a provider, a function that returns a valid token each time. */
async function tokenOf(terminal: Terminal, login: Connection): Promise<ClientOptions['token']> {
  const { openid } = login;
  if (openid === undefined) return login.token;
  const { GrantedToken } = await import('./granted-token.js');
  const granted = new GrantedToken(terminal, { ...login, openid }, async (ending) =>
    (await import('./openid-login.js')).refreshLogin(ending),
  );
  // Report a missing token before sending any request.
  await granted.now();
  return () => granted.later();
}

/** Makes the client of commands. It does not retry: a user at a terminal prefers an immediate error. */
export async function clientOf(connection: Pick<ClientOptions, 'server' | 'token' | 'certificateAuthority'>): Promise<Client> {
  // Loaded lazily, so that a missing login is reported immediately.
  const { createClient } = await import('@tappaas/client');
  return namingMissingPlugin(createClient({ ...connection, userAgent: 'tappaas', attemptsMax: 1 }));
}

const besideFile = join('data', 'kubeconfig');

/** Reads the kubeconfig that a platform started in this directory has written. */
async function besideUs(cwd: string): Promise<Connection | undefined> {
  const text = await readFile(join(cwd, besideFile), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { connectionOfKubeconfig } = await import('./kubeconfig.js');
  return connectionOfKubeconfig(text);
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@tappaas/client';
import type { Connection } from './connection.js';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';
import { loginFile, readLogin, writeLogin } from './login-file.js';
import { sayable, serverAddress } from './server-address.js';
import type { Terminal } from './terminal.js';
import { sayingWhoServes } from './unserved.js';

/** A command may take as long as this. */
const refreshedBeforeMs = 60_000;

/** Finds the platform: environment, then the stored login, then a platform whose data lies in the current directory. */
export async function connect(terminal: Terminal, server: string | undefined): Promise<Client> {
  const login = (await readLogin(terminal.env)) ?? (await besideUs(terminal.cwd));
  const givenToken = terminal.env['TAPPAAS_TOKEN'];
  const givenServer = server ?? terminal.env['TAPPAAS_SERVER'];
  const token = givenToken ? sayable(givenToken) : (givenToken ?? login?.token);
  const url = givenServer === undefined ? login?.server : serverAddress(givenServer);
  if (token === undefined || url === undefined) {
    throw new CliError('not logged in', {
      remedy: `Run tappaas login SERVER with --token TOKEN, which the first start of a platform prints whole, or with --oidc. Looked in ${loginFile(terminal.env)}.`,
      exitCode: exitCodes.unavailable,
    });
  }
  const authority = login?.certificateAuthority ? { certificateAuthority: login.certificateAuthority } : {};
  const isGranted = login?.openid !== undefined && token === login.token;
  return clientOf({ server: url, token: isGranted ? await freshToken(login, terminal) : token, ...authority });
}

/** A token that is about to expire is replaced by the next one before it is used, and the stored login with it. */
async function freshToken(login: Connection, terminal: Terminal): Promise<string> {
  const { openid, token } = login;
  if (openid === undefined || openid.refreshToken === '' || openid.expiresAtMs - terminal.nowMs() > refreshedBeforeMs) return token;
  const { refreshLogin } = await import('./openid-login.js');
  const granted = await refreshLogin(openid);
  await writeLogin(terminal.env, { ...login, ...granted });
  return granted.token;
}

/** The client that commands use: a person at a terminal would rather be told than wait for a second try. */
export async function clientOf(connection: Connection): Promise<Client> {
  // Loaded only now: who is not logged in is told at once.
  const { createClient } = await import('@tappaas/client');
  return sayingWhoServes(createClient({ ...connection, userAgent: 'tappaas', attemptsMax: 1 }));
}

/** The kubeconfig that a platform started in this directory has written. */
async function besideUs(cwd: string): Promise<Connection | undefined> {
  const text = await readFile(join(cwd, 'data', 'kubeconfig'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { connectionOfKubeconfig } = await import('./kubeconfig.js');
  return connectionOfKubeconfig(text);
}

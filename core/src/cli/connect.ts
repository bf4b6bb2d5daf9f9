import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@tappaas/client';
import type { Connection } from './connection.js';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';
import { loginFile, readLogin } from './login-file.js';
import type { Terminal } from './terminal.js';

/** Finds the platform: environment, then the stored login, then a platform whose data lies in the current directory. */
export async function connect(terminal: Terminal, server: string | undefined): Promise<Client> {
  const login = (await readLogin(terminal.env)) ?? (await besideUs(terminal.cwd));
  const token = terminal.env['TAPPAAS_TOKEN'] ?? login?.token;
  const url = server ?? terminal.env['TAPPAAS_SERVER'] ?? login?.server;
  if (token === undefined || url === undefined) {
    throw new CliError('not logged in', {
      remedy: `Run tappaas login SERVER --token TOKEN; the first start of a platform prints it whole. Looked in ${loginFile(terminal.env)}.`,
      exitCode: exitCodes.unavailable,
    });
  }
  const authority = login?.certificateAuthority ? { certificateAuthority: login.certificateAuthority } : {};
  return clientOf({ server: url, token, ...authority });
}

/** The client that commands use: a person at a terminal would rather be told than wait for a second try. */
export async function clientOf(connection: Connection): Promise<Client> {
  // Loaded only now: who is not logged in is told at once.
  const { createClient } = await import('@tappaas/client');
  return createClient({ ...connection, userAgent: 'tappaas', attemptsMax: 1 });
}

/** The kubeconfig that a platform started in this directory has written. */
async function besideUs(cwd: string): Promise<Connection | undefined> {
  const text = await readFile(join(cwd, 'data', 'kubeconfig'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { connectionOfKubeconfig } = await import('./kubeconfig.js');
  return connectionOfKubeconfig(text);
}

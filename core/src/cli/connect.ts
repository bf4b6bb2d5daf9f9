import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createApiClient, type ApiClient, type Connection } from './api-client.js';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';
import { loginFile, readLogin } from './login-file.js';
import type { Terminal } from './terminal.js';

/** Finds the platform: environment, then the stored login, then a platform whose data lies in the current directory. */
export async function connect(terminal: Terminal, server: string | undefined): Promise<ApiClient> {
  const login = (await readLogin(terminal.env)) ?? (await besideUs(terminal.cwd));
  const token = terminal.env['TAPPAAS_TOKEN'] ?? login?.token;
  const url = server ?? terminal.env['TAPPAAS_SERVER'] ?? login?.server;
  if (token === undefined || url === undefined) {
    throw new CliError('not logged in', {
      remedy: `Run tappaas login SERVER --token TOKEN; the first start of a platform prints it whole. Looked in ${loginFile(terminal.env)}.`,
      exitCode: exitCodes.unavailable,
    });
  }
  return createApiClient({
    server: url,
    token,
    ...(login?.certificateAuthority ? { certificateAuthority: login.certificateAuthority } : {}),
  });
}

/** The kubeconfig that a platform started in this directory has written. */
async function besideUs(cwd: string): Promise<Connection | undefined> {
  const text = await readFile(join(cwd, 'data', 'kubeconfig'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { connectionOfKubeconfig } = await import('./kubeconfig.js');
  return connectionOfKubeconfig(text);
}

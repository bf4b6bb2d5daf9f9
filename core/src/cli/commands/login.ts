import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ApiError } from '@tappaas/client';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { clientOf } from '../connect.js';
import { writeLogin } from '../login-file.js';

/** `tappaas login SERVER --token TOKEN`: tries the token before it is stored. */
export async function login({ terminal, positionals, options }: Invocation): Promise<number> {
  const server = serverOf(positionals[0] ?? '');
  const token = typeof options['token'] === 'string' ? options['token'] : terminal.env['TAPPAAS_TOKEN'];
  if (!token) throw new CliError('no token was given', { remedy: 'Give it with --token or in $TAPPAAS_TOKEN.', exitCode: exitCodes.usage });
  const authority = options['certificate-authority'];
  const certificateAuthority = typeof authority === 'string' ? await authorityOf(resolve(terminal.cwd, authority)) : undefined;
  const connection = { server, token, ...(certificateAuthority ? { certificateAuthority } : {}) };
  const answer = await (await clientOf(connection)).send('/api');
  if (answer.status >= 300) throw ApiError.of(answer);
  const path = await writeLogin(terminal.env, connection);
  terminal.stdout.write(`Logged in to ${server}; stored in ${path}.\nNext: tappaas apps, or tappaas deploy DIRECTORY\n`);
  return 0;
}

function serverOf(text: string): string {
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  if (url?.protocol === 'https:') return url.origin + url.pathname.replace(/\/$/, '');
  throw new CliError(`"${text}" is no https address`, {
    remedy: 'Write it as https://HOST:PORT; a token is never sent unencrypted.',
    exitCode: exitCodes.usage,
  });
}

async function authorityOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new CliError(`cannot read the certificate authority ${path}`, {
      remedy: 'It is ca.pem in the platform’s data directory.',
      exitCode: exitCodes.usage,
      cause,
    });
  });
}

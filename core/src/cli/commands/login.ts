import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ApiError, type Client } from '@tappaas/client';
import { calledAs, inNamespace } from '../called-as.js';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { clientOf } from '../connect.js';
import type { Connection } from '../connection.js';
import { writeLogin } from '../login-file.js';
import { withLoginLock } from '../login-lock.js';
import { removeMissingLogin, writeMissingLogin } from '../missing-login.js';
import type { Granted, OfferedIssuer } from '../openid-login.js';
import { print } from '../print.js';
import { httpsAddress, sayable } from '../server-address.js';
import type { Terminal } from '../terminal.js';

/** `tappaas login SERVER --token TOKEN`, or `--oidc`: verifies the credentials before storing them. */
export async function login(invocation: Invocation): Promise<number> {
  const { terminal, positionals, options } = invocation;
  const server = httpsAddress(positionals[0] ?? '');
  // Written first, so that it stands however the attempt ends.
  await writeMissingLogin(terminal.env, { why: 'unfinished', server });
  const authority = options['certificate-authority'];
  const certificateAuthority = typeof authority === 'string' ? await authorityOf(resolve(terminal.cwd, authority)) : undefined;
  const place = { server, ...(certificateAuthority ? { certificateAuthority } : {}) };
  const connection = {
    ...place,
    ...(options['oidc'] === true ? await grantedBy(place, terminal, options) : { token: tokenOf(terminal, options) }),
  };
  const client = await clientOf(connection);
  const answer = await client.send('/api');
  if (answer.status >= 300) throw ApiError.of(answer);
  const file = await withLoginLock(terminal.env, () => writeLogin(terminal.env, connection));
  await removeMissingLogin(terminal.env);
  const [called, option] = [calledAs(terminal), inNamespace(terminal, await namespaceToUse(client, invocation.namespace))];
  const printed = `Logged in to ${server}; stored in ${file}.\nNext: ${called} apps${option}, or ${called} deploy DIRECTORY${option}\n`;
  await print(invocation, { server, file }, () => printed);
  return exitCodes.ok;
}

/** Returns the namespace of commands without `-n` if the caller can read it, else one that the caller can: members of a tenant have their own. */
async function namespaceToUse(client: Client, usual: string): Promise<string> {
  if ((await client.send(`/api/v1/namespaces/${encodeURIComponent(usual)}`)).status === 200) return usual;
  const listed = await client.send('/api/v1/namespaces?limit=1');
  if (listed.status !== 200) return usual;
  const { items } = JSON.parse(listed.text) as { readonly items: readonly { readonly metadata: { readonly name: string } }[] };
  return items[0]?.metadata.name ?? usual;
}

function tokenOf(terminal: Terminal, options: Invocation['options']): string {
  const token = typeof options['token'] === 'string' ? options['token'] : terminal.env['TAPPAAS_TOKEN'];
  if (token) return sayable(token);
  throw new CliError('no token was given', {
    remedy: 'Give it with --token or in $TAPPAAS_TOKEN, or log in at an OpenID provider with --oidc.',
    exitCode: exitCodes.usage,
  });
}

/** Logs in at an OpenID provider of the platform: with a local browser, or with a code on another device. */
async function grantedBy(place: Omit<Connection, 'token'>, terminal: Terminal, options: Invocation['options']): Promise<Granted> {
  const instance = typeof options['instance'] === 'string' ? options['instance'] : 'oidc';
  const wanted = typeof options['issuer'] === 'string' ? options['issuer'] : undefined;
  const answer = await (await clientOf({ ...place, token: '' })).send(`/plugins/${encodeURIComponent(instance)}/issuers`);
  if (answer.status !== 200) throw notOffered(`the platform has no OpenID plugin called ${instance}`);
  const { issuers } = JSON.parse(answer.text) as { readonly issuers: readonly OfferedIssuer[] };
  const offered = issuers.filter(({ clientId }) => clientId !== '');
  const issuer = wanted === undefined ? offered[0] : offered.find(({ name }) => name === wanted);
  if (issuer === undefined) {
    const names = offered.map(({ name }) => name).join(', ');
    if (names === '') throw noneOffered(instance);
    throw notOffered(`no provider ${wanted ?? ''} lets the command line log in; there is: ${names}`);
  }
  const { logInWithBrowser, logInWithDevice } = await import('../openid-login.js');
  return (options['device'] === true ? logInWithDevice : logInWithBrowser)(issuer, terminal);
}

function noneOffered(instance: string): CliError {
  return new CliError('no provider of the platform lets the command line log in', {
    remedy: `Have the operator set cliClientId of an issuer of the plugin ${instance}, or log in with --token.`,
    exitCode: exitCodes.usage,
  });
}

function notOffered(message: string): CliError {
  return new CliError(message, {
    remedy: 'Ask the operator for the instance and the provider, or log in with --token.',
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

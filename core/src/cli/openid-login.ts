import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as client from 'openid-client';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';
import type { OpenIdLogin } from './connection.js';
import type { Terminal } from './terminal.js';
import { harmless } from './harmless.js';

/** A provider as offered by the platform. */
export interface OfferedIssuer {
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
}

/** A token, and the data for obtaining the next one. */
export interface Granted {
  readonly token: string;
  readonly openid: OpenIdLogin;
}

const loginMsMax = 600_000;
const requestBytesMax = 16_384;

/** Logs in with a local browser, which is redirected to a port of this machine. @source RFC 8252, RFC 7636 */
export async function logInWithBrowser(offered: OfferedIssuer, terminal: Terminal): Promise<Granted> {
  const configuration = await discover(offered);
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const arrival = await awaitArrival();
  try {
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: arrival.redirectUri,
      scope: offered.scopes.join(' '),
      state,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(offered.scopes.includes('offline_access') && { prompt: 'consent' }),
    });
    terminal.stderr.write(`Open this address in a browser on this machine to log in:\n\n  ${url.href}\n\n`);
    const answered = await arrival.url;
    const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
    return granted(await client.authorizationCodeGrant(configuration, answered, checks), offered);
  } catch (error) {
    throw refused(offered, error);
  } finally {
    arrival.close();
  }
}

/** Logs in with a browser on any device, by a code that the user enters. @source RFC 8628 */
export async function logInWithDevice(offered: OfferedIssuer, terminal: Terminal): Promise<Granted> {
  const configuration = await discover(offered);
  let ends: AbortSignal | undefined;
  try {
    const begun = await client.initiateDeviceAuthorization(configuration, { scope: offered.scopes.join(' ') });
    terminal.stderr.write(harmless(`Open ${begun.verification_uri} in any browser and enter the code\n\n  ${begun.user_code}\n\n`));
    ends = AbortSignal.timeout(Math.min(begun.expires_in * 1000, loginMsMax));
    return granted(await client.pollDeviceAuthorizationGrant(configuration, begun, undefined, { signal: ends }), offered);
  } catch (error) {
    // Whichever clock is first: ours, or the provider's.
    const isExpired = ends?.aborted === true || codeOf(error) === 'expired_token';
    throw isExpired ? unconfirmed(offered, error) : refused(offered, error);
  }
}

/** Obtains the next token without the user. */
export async function refreshLogin({ issuer, clientId, refreshToken, scopes }: OpenIdLogin): Promise<Granted> {
  const offered = { name: issuer, issuer, clientId, scopes };
  const configuration = await discover(offered);
  try {
    return granted(await client.refreshTokenGrant(configuration, refreshToken), offered, refreshToken);
  } catch (error) {
    throw refused(offered, error);
  }
}

async function discover(offered: OfferedIssuer): Promise<client.Configuration> {
  try {
    return await client.discovery(new URL(offered.issuer), offered.clientId, undefined, client.None(), { timeout: 10 });
  } catch (cause) {
    throw new CliError(`the provider ${offered.issuer} cannot be reached`, {
      remedy: 'Check the network; for a private certificate authority, name its PEM file in $NODE_EXTRA_CA_CERTS.',
      exitCode: exitCodes.unavailable,
      cause,
    });
  }
}

function granted(
  tokens: client.TokenEndpointResponse & client.TokenEndpointResponseHelpers,
  { issuer, clientId, scopes, name }: OfferedIssuer,
  before?: string,
): Granted {
  const { id_token: token, refresh_token: refreshToken = before } = tokens;
  const endSeconds = tokens.claims()?.exp;
  if (token === undefined || endSeconds === undefined) {
    throw new CliError(`the provider ${name} granted no ID token`, {
      remedy: 'Let the client have the scope openid, and the device or code flow.',
      exitCode: exitCodes.failed,
    });
  }
  return { token, openid: { issuer, clientId, scopes, refreshToken: refreshToken ?? '', expiresAtMs: endSeconds * 1000 } };
}

function refused({ name }: OfferedIssuer, error: unknown): unknown {
  if (error instanceof CliError) return error;
  const why = codeOf(error) ?? (error instanceof Error ? error.message : String(error));
  return new CliError(`the provider ${name} did not let you in: ${why}`, {
    remedy: 'Run tappaas login again.',
    exitCode: exitCodes.failed,
    cause: error,
  });
}

/** The error code of OAuth, if the provider has answered with one. */
function codeOf(error: unknown): string | undefined {
  return error instanceof client.ResponseBodyError || error instanceof client.AuthorizationResponseError ? error.error : undefined;
}

function unconfirmed({ name }: OfferedIssuer, cause: unknown): CliError {
  return new CliError(`the code of the provider ${name} expired before anybody confirmed it`, {
    remedy: 'Give the command again: it shows a new code, to be entered and confirmed in a browser while the command waits.',
    exitCode: exitCodes.failed,
    cause,
  });
}

interface Arrival {
  readonly redirectUri: string;
  /** Resolves to the URL of the redirect. */
  readonly url: Promise<URL>;
  close(): void;
}

/** Listens on a local port for a single redirect of the browser. */
async function awaitArrival(): Promise<Arrival> {
  const came = Promise.withResolvers<URL>();
  const server = createServer({ maxHeaderSize: requestBytesMax }, (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', redirectUri);
    const isAnswer = request.method === 'GET' && url.pathname === '/callback';
    response.writeHead(isAnswer ? 200 : 404, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
    response.end(isAnswer ? 'You may close this window and go back to the terminal.\n' : 'not found\n');
    if (isAnswer) came.resolve(url);
  });
  await new Promise<void>((resolve, reject) => void server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const redirectUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
  const late = setTimeout(() => came.reject(new Error('nobody logged in within ten minutes')), loginMsMax);
  late.unref();
  came.promise.catch(() => undefined);
  return {
    redirectUri,
    url: came.promise,
    close() {
      clearTimeout(late);
      server.closeAllConnections();
      server.close();
    },
  };
}

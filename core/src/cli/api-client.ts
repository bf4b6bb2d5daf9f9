import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';

/** Where the platform is and who asks. */
export interface Connection {
  readonly server: string;
  readonly token: string;
  /** PEM; absent: the system's authorities. */
  readonly certificateAuthority?: string;
}

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: Uint8Array | string;
  readonly contentType?: string;
  readonly accept?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** The platform's API as commands use it. */
export interface ApiClient {
  readonly connection: Connection;
  /** Any answer, whatever its status. */
  send(path: string, request?: ApiRequest): Promise<ApiAnswer>;
  /** The decoded body of a 2xx answer; a 404 is undefined. @throws CliError with the platform's own message */
  json<T>(path: string, request?: ApiRequest): Promise<T | undefined>;
  /** The lines of a streamed answer until it ends or the signal aborts. */
  lines(path: string, signal: AbortSignal): AsyncIterable<string>;
}

const requestTimeoutMs = 60_000;
const answerBytesMax = 256 * 1024 * 1024;

/** Talks HTTPS with Node's own client: nothing to load, so that commands start at once. */
export function createApiClient(connection: Connection): ApiClient {
  const base = new URL(connection.server);

  function open(path: string, request: ApiRequest): Promise<IncomingMessage> {
    const options: RequestOptions = {
      method: request.method ?? 'GET',
      timeout: request.timeoutMs ?? requestTimeoutMs,
      ...(request.signal ? { signal: request.signal } : {}),
      ...(connection.certificateAuthority ? { ca: connection.certificateAuthority } : {}),
      headers: {
        authorization: `Bearer ${connection.token}`,
        accept: request.accept ?? 'application/json',
        'user-agent': 'tappaas',
        ...(request.body === undefined
          ? {}
          : { 'content-type': request.contentType ?? 'application/json', 'content-length': Buffer.byteLength(request.body) }),
      },
    };
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest(new URL(base.pathname.replace(/\/$/, '') + path, base), options, resolve);
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
      outgoing.on('error', (error) => reject(request.signal?.aborted ? error : unreachable(connection.server, error)));
      outgoing.end(request.body);
    });
  }

  const send = async (path: string, request: ApiRequest = {}): Promise<ApiAnswer> => {
    const answer = await open(path, request);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of answer as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > answerBytesMax)
        throw new CliError('the answer is larger than 256 MiB', { remedy: 'Ask for less.', exitCode: exitCodes.failed });
      chunks.push(chunk);
    }
    return { status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString('utf8') };
  };

  return {
    connection,
    send,
    async json<T>(path: string, request: ApiRequest = {}) {
      const answer = await send(path, request);
      if (answer.status === 404) return undefined;
      if (answer.status >= 300) throw refusal(answer);
      return (answer.text === '' ? undefined : JSON.parse(answer.text)) as T | undefined;
    },
    async *lines(path, signal) {
      const answer = await open(path, { signal, timeoutMs: 0 });
      if ((answer.statusCode ?? 500) >= 300)
        throw refusal({ status: answer.statusCode ?? 0, headers: answer.headers, text: await textOf(answer) });
      let rest = '';
      try {
        for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          yield* lines;
        }
      } catch (error) {
        if (signal.aborted) throw error;
        throw brokenOff(error as Error);
      }
      if (rest !== '') yield rest;
    },
  };
}

function brokenOff(cause: Error): CliError {
  return new CliError(`the platform broke the answer off (${cause.message})`, {
    remedy: 'Give the command again; tappaas apps says whether the platform answers.',
    exitCode: exitCodes.unavailable,
    cause,
  });
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) text += chunk;
  return text;
}

function unreachable(server: string, cause: Error): CliError {
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const untrusted = /CERT|SELF_SIGNED|UNABLE_TO/.test(code);
  return new CliError(
    untrusted ? `the certificate of ${server} is not trusted (${code})` : `${server} does not answer (${code || cause.message})`,
    {
      remedy: untrusted
        ? 'Log in again with --certificate-authority and the ca.pem of the platform’s data directory.'
        : 'Start the platform with tappaas up, or log in to another one with tappaas login.',
      exitCode: exitCodes.unavailable,
      cause,
    },
  );
}

/** Turns an error answer into the platform's own words: message, each cause, and what to do. */
export function refusal(answer: ApiAnswer): CliError {
  const status = statusOf(answer.text);
  const told = (status?.details?.causes ?? []).map(({ field, message }) => `${field ? `${field}: ` : ''}${message ?? ''}`);
  // The message of a single cause often is the whole message already.
  const causes = told.filter((cause) => status?.message?.includes(cause) !== true).map((cause) => `\n  ${cause}`);
  const remedy = answer.status === 401 ? 'Log in again with tappaas login.' : (status?.details?.remedy ?? '');
  return new CliError(`${status?.message ?? `the platform answered ${answer.status}`}${causes.join('')}`, {
    remedy,
    exitCode: exitCodes.failed,
  });
}

interface StatusAnswer {
  readonly message?: string;
  readonly details?: { readonly remedy?: string; readonly causes?: readonly { readonly field?: string; readonly message?: string }[] };
}

function statusOf(text: string): StatusAnswer | undefined {
  try {
    return JSON.parse(text) as StatusAnswer;
  } catch {
    return undefined;
  }
}

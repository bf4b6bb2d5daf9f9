import type { Agent, IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Clock, ClusterConnection } from '@tappaas/sdk';
import type { ConnectionFile } from './connection-file.js';
import { HttpAgent, request as httpRequest } from '../../node-http.js';

/** A response with a status of 400 or more. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Reason of the Status object, such as `NotFound`. */
  readonly reason: string;
  readonly retryAfterMs: number | undefined;

  constructor(status: number, reason: string, message: string, retryAfterMs?: number) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Whether an error is a response with one of these statuses. */
export const isAnswer = (error: unknown, ...statuses: readonly number[]): boolean =>
  error instanceof ApiError && statuses.includes(error.status);

/** One API request. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path below the server's base, such as `/api/v1/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly contentType?: string;
  readonly signal: AbortSignal;
  /** Maximum time without data on the connection, milliseconds. Default 15,000. */
  readonly idleMs?: number;
}

const bodyBytesMax = 64 * 1024 * 1024;
const timeoutMs = 15_000;

/** A client of a Kubernetes API that reuses connections. */
export class ApiClient {
  readonly #file: ConnectionFile;
  readonly #clock: Clock;
  #transport: { readonly connection: ClusterConnection; readonly agent: Agent } | undefined;
  #lastContactMs: number;

  constructor(file: ConnectionFile, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
    this.#lastContactMs = clock.nowMs();
  }

  /** Time of the server's last response of any status, milliseconds since the epoch. */
  get lastContactMs(): number {
    return this.#lastContactMs;
  }

  /** Returns the decoded JSON body. @throws ApiError, or the connection's error */
  async request<T>(request: ApiRequest): Promise<T> {
    const response = await this.stream(request);
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bodyBytesMax) throw new Error(`the answer to ${request.method} ${request.path} is larger than ${bodyBytesMax} bytes`);
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as T;
  }

  /** Returns the response as a stream. After a 401, it reads the credentials again and retries once. */
  async stream(request: ApiRequest): Promise<IncomingMessage> {
    try {
      return await this.#once(request);
    } catch (error) {
      // Any status but 401 shows that the address and the token are valid.
      if (error instanceof ApiError && error.status !== 401) throw error;
      this.#file.forget();
      if (!(error instanceof ApiError)) throw error;
      return await this.#once(request);
    }
  }

  close(): void {
    this.#transport?.agent.destroy();
    this.#transport = undefined;
  }

  async #once(request: ApiRequest): Promise<IncomingMessage> {
    const response = await this.#send(request);
    this.#lastContactMs = this.#clock.nowMs();
    const status = response.statusCode ?? 0;
    if (status < 400) return response;
    throw await errorOf(response, request);
  }

  async #send(request: ApiRequest): Promise<IncomingMessage> {
    const { connection, agent } = await this.#open();
    const url = new URL(connection.server.replace(/\/$/, '') + request.path);
    for (const [key, value] of Object.entries(request.query ?? {})) url.searchParams.set(key, value);
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    const headers = {
      accept: 'application/json',
      'user-agent': 'tappaas-node-agent',
      ...(connection.token === undefined ? {} : { authorization: `Bearer ${connection.token}` }),
      ...(body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json', 'content-length': String(body.length) }),
    };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const start = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const sent = start(url, { method: request.method, agent, headers, signal: request.signal, timeout: request.idleMs ?? timeoutMs });
    sent.once('response', resolve);
    sent.once('error', reject);
    sent.on('timeout', () => sent.destroy(new Error(`${request.method} ${request.path} was silent for ${request.idleMs ?? timeoutMs} ms`)));
    sent.end(body);
    return promise;
  }

  async #open() {
    const connection = await this.#file.read();
    if (this.#transport?.connection === connection) return this.#transport;
    this.#transport?.agent.destroy();
    const options = { keepAlive: true, maxSockets: 64, scheduling: 'lifo' as const };
    const { certificateAuthority, clientCertificate } = connection;
    const agent = connection.server.startsWith('https:')
      ? new HttpsAgent({
          ...options,
          ...(certificateAuthority === undefined ? {} : { ca: certificateAuthority }),
          ...(clientCertificate === undefined ? {} : { cert: clientCertificate.certificate, key: clientCertificate.key }),
        })
      : new HttpAgent(options);
    this.#transport = { connection, agent };
    return this.#transport;
  }
}

async function errorOf(response: IncomingMessage, { method, path }: ApiRequest): Promise<ApiError> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) if (chunks.length < 64) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  const { reason, message } = statusOf(text);
  const retryAfter = Number(response.headers['retry-after']);
  const status = response.statusCode ?? 0;
  return new ApiError(
    status,
    reason,
    `${method} ${path}: ${status} ${message}`,
    Number.isFinite(retryAfter) ? retryAfter * 1000 : undefined,
  );
}

function statusOf(text: string): { reason: string; message: string } {
  try {
    const { reason = '', message = '' } = JSON.parse(text) as { reason?: string; message?: string };
    return { reason, message };
  } catch {
    return { reason: '', message: text.slice(0, 200) };
  }
}

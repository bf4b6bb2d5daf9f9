import { isTapError, type Clock, type TapError } from '@tappaas/sdk';
import type { Dispatcher } from 'undici';
import { ConnectionHolder, type Connection, type OpenConnection } from './connection.js';
import { clusterErrors, errorOfAnswer } from './errors.js';
import { networkFailure } from './network-failure.js';

export interface TransportOptions {
  /** Returns the connection; called at first, and again when credentials, certificate or address were found to be wrong. */
  readonly connect: (signal: AbortSignal) => Promise<Connection>;
  readonly clock: Clock;
  /** Returns the delay after the nth consecutive failure, with jitter. */
  readonly backoff: (failures: number) => number;
  /** Called for each request: the result names the plugin on whose behalf it is made. */
  readonly userAgent: () => string;
  /** Attempts per request, including the first. Default 5. */
  readonly attemptsMax?: number;
  /** Default 64 MiB. */
  readonly answerBytesMax?: number;
  /** Default 32. */
  readonly connectionsMax?: number;
  /** Default 1,000. */
  readonly streamsMax?: number;
}

export interface WireRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the server's base path; segments are encoded already. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
  /** Description of the request for messages: `get pods shop/web-1`. */
  readonly what: string;
  /** The request is idempotent, so it may be retried when the response was lost. */
  readonly repeatable: boolean;
  /** For a deletion: a missing object on a retry means that an earlier attempt succeeded. */
  readonly goneIsDone?: boolean;
  /** For all attempts together. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

const retryAfterMsMax = 20_000;

/** Sends requests over pooled connections, with one deadline, and retries where that is safe. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #connections: ConnectionHolder;

  constructor(options: TransportOptions) {
    this.#options = options;
    const { connectionsMax = 32, streamsMax = 1_000 } = options;
    this.#connections = new ConnectionHolder(options.connect, { connectionsMax, streamsMax });
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  /** Sends a request and returns the JSON of the response. @throws TAP_OBJECT_*, TAP_CLUSTER_*, the signal's reason */
  send(request: WireRequest): Promise<unknown> {
    return this.#within(request, async (signal) => {
      for (let attempts = 1; ; attempts += 1) {
        const result = await this.#attempt(request, 'requests', signal, (answer) => this.#readJson(request, answer));
        if ('value' in result) return result.value;
        if (request.goneIsDone === true && attempts > 1 && isTapError(result.error, 'TAP_OBJECT_NOT_FOUND')) return undefined;
        // Credentials are renewed once: if the new ones are refused too, further attempts do not help.
        const refused = isTapError(result.error, 'TAP_CLUSTER_UNAUTHENTICATED') && attempts > 1;
        if (!result.again || refused || attempts >= (this.#options.attemptsMax ?? 5)) throw result.error;
        await this.#pause(result.error, attempts, signal);
      }
    });
  }

  /** Opens a stream: the deadline applies to its opening, the signal to all of it. Not retried, because its reader resumes. */
  async open(request: WireRequest): Promise<AsyncIterable<Uint8Array>> {
    const end = new AbortController();
    const forward = (): void => end.abort(request.signal?.reason);
    if (request.signal?.aborted) forward();
    request.signal?.addEventListener('abort', forward, { once: true });
    const ended = (): void => request.signal?.removeEventListener('abort', forward);
    try {
      const result = await this.#within(request, (signal) => {
        signal.addEventListener('abort', () => end.abort(signal.reason), { once: true });
        return this.#attempt(request, 'streams', end.signal, ({ body }) => Promise.resolve(body));
      });
      if ('error' in result) throw result.error;
      return readStream(request, result.value, end.signal, ended);
    } catch (error) {
      ended();
      throw error;
    }
  }

  /** Runs `work` under a signal that aborts with the request's signal or at its deadline. */
  async #within<R>(request: WireRequest, work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const { what, deadlineMs, signal } = request;
    const over = new AbortController();
    const ended = new AbortController();
    const onAbort = (): void => over.abort(signal?.reason);
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#options.clock.sleep(deadlineMs, ended.signal).then(
      () => over.abort(clusterErrors.TAP_CLUSTER_TIMEOUT({ message: `${what}: no answer within ${deadlineMs} ms` })),
      () => {},
    );
    try {
      return await work(over.signal);
    } finally {
      ended.abort('the request has ended');
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #attempt<R>(
    request: WireRequest,
    pool: 'requests' | 'streams',
    signal: AbortSignal,
    read: (answer: Dispatcher.ResponseData) => Promise<R>,
  ): Promise<{ value: R } | { error: Error; again: boolean }> {
    const { what, repeatable } = request;
    let connection: OpenConnection | undefined;
    try {
      signal.throwIfAborted();
      connection = await this.#connections.current();
      const answer = await connection[pool].request(this.#wire(request, connection, signal));
      if (answer.statusCode < 300) return { value: await read(answer) };
      const error = await this.#failureOf(request, answer);
      if (answer.statusCode === 401) this.#connections.discard(connection);
      return { error, again: mayRepeat(answer, repeatable) };
    } catch (cause) {
      if (signal.aborted) throw this.#interrupted(request, signal.reason);
      const { error, unsent, suspectsConnection } = networkFailure(what, cause);
      if (connection && suspectsConnection) this.#connections.discard(connection);
      if (connection === undefined || unsent || repeatable) return { error, again: !isFinal(error) };
      return { error: isTapError(cause) ? error : outcomeUnknown(request, error), again: false };
    }
  }

  #wire(request: WireRequest, connection: OpenConnection, signal: AbortSignal): Dispatcher.RequestOptions {
    const { method, path, query = {}, body, contentType = 'application/json', accept = 'application/json' } = request;
    const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
    const search = pairs.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&');
    return {
      method,
      path: `${connection.basePath}${path}${search === '' ? '' : `?${search}`}`,
      headers: {
        ...connection.headers,
        accept,
        'user-agent': this.#options.userAgent(),
        ...(body === undefined ? {} : { 'content-type': contentType }),
      },
      ...(body === undefined ? {} : { body }),
      signal,
    };
  }

  async #failureOf(request: WireRequest, answer: Dispatcher.ResponseData): Promise<TapError> {
    let body: unknown;
    try {
      body = JSON.parse(await this.#readText(request, answer));
    } catch {
      // A proxy's HTML page or a truncated response says nothing beyond the status code.
    }
    return errorOfAnswer(request.what, answer.statusCode, body, retryAfterMs(answer, this.#options.clock.nowMs()));
  }

  async #readJson(request: WireRequest, answer: Dispatcher.ResponseData): Promise<unknown> {
    const text = await this.#readText(request, answer);
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw clusterErrors.TAP_CLUSTER_FAILED({ message: `${request.what}: the cluster answered no JSON`, cause });
    }
  }

  async #readText(request: WireRequest, answer: Dispatcher.ResponseData): Promise<string> {
    const { answerBytesMax = 64 * 1024 * 1024 } = this.#options;
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > answerBytesMax) {
        const message = `${request.what}: the answer is longer than ${answerBytesMax} bytes`;
        throw clusterErrors.TAP_CLUSTER_ANSWER_TOO_LARGE({ message });
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  async #pause(error: Error, attempts: number, signal: AbortSignal): Promise<void> {
    const requestedDelayMs = isTapError(error) ? Math.min(retryAfterMsMax, error.retryAfterMs ?? 0) : 0;
    try {
      await this.#options.clock.sleep(Math.max(requestedDelayMs, this.#options.backoff(attempts - 1)), signal);
    } catch {
      // The deadline passed while waiting; the previous error is more informative.
      throw error;
    }
  }

  /** A write in flight at its deadline may have been executed. */
  #interrupted(request: WireRequest, reason: unknown): unknown {
    return isTapError(reason, 'TAP_CLUSTER_TIMEOUT') && !request.repeatable ? outcomeUnknown(request, reason) : reason;
  }
}

function outcomeUnknown(request: WireRequest, cause: Error): TapError {
  return clusterErrors.TAP_CLUSTER_OUTCOME_UNKNOWN({ message: `${request.what}: sent, but no answer came (${cause.message})`, cause });
}

/** Whether a retry cannot help. */
function isFinal(error: TapError): boolean {
  return finalCodes.has(error.code);
}

const finalCodes = new Set(['TAP_CLUSTER_UNTRUSTED', 'TAP_CLUSTER_KUBECONFIG', 'TAP_CLUSTER_CLOSED', 'TAP_CLUSTER_ANSWER_TOO_LARGE']);

/**
 * Whether to retry: 401, 429, and 503 with Retry-After are sent before anything is executed; otherwise only idempotent requests are
 * retried.
 */
function mayRepeat({ statusCode, headers }: Dispatcher.ResponseData, repeatable: boolean): boolean {
  if (statusCode === 401 || statusCode === 429 || (statusCode === 503 && headers['retry-after'] !== undefined)) return true;
  return repeatable && statusCode >= 500;
}

function retryAfterMs({ headers }: Dispatcher.ResponseData, nowMs: number): number | undefined {
  const header = headers['retry-after'];
  if (typeof header !== 'string') return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}

async function* readStream(
  request: WireRequest,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  ended: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw networkFailure(request.what, cause).error;
  } finally {
    ended();
  }
}

import { BackOff, type Devices } from './back-off.js';
import { ApiError, UnreachableError } from './errors.js';
import { untrusted } from './refused-connection.js';
import { tokenInTime, type GiveToken } from './token.js';
import type { Transport, TransportAnswer } from './transport.js';

/** One request; all but the path have defaults. */
export interface ApiRequest {
  /** Request method. Default: GET. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: Uint8Array | string;
  /** Default: `application/json`. */
  readonly contentType?: string;
  /** Default: `application/json`. */
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Time limit for the complete response, including retries. Default: 60,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Whether the request is idempotent, so that it is retried when the connection breaks. Default: true for GET. */
  readonly isRepeatable?: boolean;
}

/** A complete response, whatever its status. */
export interface ApiAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  readonly text: string;
  /** The value of `Retry-After`, in milliseconds. */
  readonly retryAfterMs?: number;
}

export interface HttpOptions {
  readonly server: string;
  readonly token: GiveToken;
  readonly userAgent: string;
  readonly attemptsMax: number;
  readonly transport: Transport;
  readonly devices: Devices;
  /** Aborts when the client is closed. */
  readonly closing: AbortSignal;
}

const timeoutMsDefault = 60_000;
const answerBytesMax = 256 * 1024 * 1024;
const lineCharsMax = 16 * 1024 * 1024;

/** Sends requests with deadlines and, where that is harmless, retries. */
export class Http {
  readonly #options: HttpOptions;
  readonly #base: URL;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#base = new URL(options.server);
    this.#base.search = '';
    this.#base.hash = '';
  }

  /** Aborts when the client is closed, which ends everything that follows the platform. */
  get closing(): AbortSignal {
    return this.#options.closing;
  }

  /**
   * The URL of a path. The path is appended and never resolved: a resolver takes `//host`, also written `/\host`, as another host, which
   * would then get the token.
   *
   * @throws TypeError when the URL would leave `server`
   */
  url(path: string): URL {
    const root = this.#base.pathname.replace(/\/$/, '');
    if (path.startsWith('/')) {
      const url = new URL(this.#base.href.replace(/\/$/, '') + path);
      if (url.pathname.startsWith(`${root}/`) && !url.pathname.startsWith(`${root}//`)) return url;
    }
    throw new TypeError(
      `path ${JSON.stringify(path.slice(0, 200))}: expected a path of ${this.#options.server}, which begins with one slash`,
    );
  }

  /** Sends a request and returns the response, whatever its status. @throws UnreachableError, or the reason of the signal */
  async send(path: string, request: ApiRequest = {}): Promise<ApiAnswer> {
    const { devices, attemptsMax } = this.#options;
    const endsAtMs = devices.nowMs() + (request.timeoutMs ?? timeoutMsDefault);
    const signal = withDeadline(request);
    const backOff = new BackOff(devices);
    for (let attempt = 1; ; attempt += 1) {
      const isLast = attempt >= attemptsMax;
      let refusal: ApiAnswer | undefined;
      try {
        const answer = await this.#once(path, request, signal);
        const isInTime = (answer.retryAfterMs ?? 0) <= endsAtMs - devices.nowMs();
        if (isLast || !isInTime || !isRefusedForNow(answer, request)) return answer;
        refusal = answer;
      } catch (error) {
        if (request.signal?.aborted || !(error instanceof UnreachableError)) throw error;
        const isHarmless = error.reason === 'unreachable' || isRepeatable(request);
        if (isLast || !isHarmless || !error.isPassing || error.reason === 'deadline') throw error;
      }
      try {
        await backOff.wait(signal, refusal?.retryAfterMs);
      } catch {
        if (request.signal?.aborted) throw request.signal.reason;
        // The last refusal says more than a timeout would.
        if (refusal !== undefined) return refusal;
        throw this.#late();
      }
    }
  }

  /**
   * The decoded body of a successful response; undefined when the platform says that the object does not exist.
   *
   * @throws ApiError, UnreachableError
   */
  async json<T>(path: string, request: ApiRequest = {}): Promise<T | undefined> {
    const answer = await this.send(path, request);
    if (isAbsence(answer)) return undefined;
    return answer.text === '' && answer.status < 300 ? undefined : decoded<T>(answer);
  }

  /**
   * The lines of a streamed response until it ends or the signal aborts.
   *
   * @throws ApiError, UnreachableError, or the reason of the signal
   */
  async *lines(path: string, signal: AbortSignal): AsyncGenerator<string> {
    try {
      yield* this.#lines(path, signal);
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  }

  async *#lines(path: string, signal: AbortSignal): AsyncGenerator<string> {
    const answer = await this.#begin(path, signal);
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const chunk of answer.body) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
        rest = lines.pop() ?? '';
        if (rest.length > lineCharsMax)
          throw new UnreachableError('too-large', this.#options.server, `a line is longer than ${lineCharsMax} characters`);
        yield* lines;
      }
    } catch (error) {
      throw error instanceof UnreachableError ? error : this.#brokenOff(error);
    }
    if (rest !== '') yield rest;
  }

  /** Begins a streamed response; its head, or the whole of a refusal, must arrive in time. */
  async #begin(path: string, signal: AbortSignal): Promise<TransportAnswer> {
    const late = new AbortController();
    const begun = new AbortController();
    this.#options.devices.sleep(timeoutMsDefault, begun.signal).then(
      () => late.abort(this.#late()),
      () => {},
    );
    const ends = AbortSignal.any([signal, late.signal]);
    try {
      const answer = await this.#open(path, {}, ends);
      if (answer.status < 300) return answer;
      throw ApiError.of(await this.#whole(answer, ends));
    } catch (error) {
      throw late.signal.aborted ? late.signal.reason : error;
    } finally {
      begun.abort();
    }
  }

  async #once(path: string, request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer> {
    try {
      return await this.#whole(await this.#open(path, request, signal), signal);
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason;
      throw signal.aborted ? this.#late(error) : error;
    }
  }

  async #open(path: string, request: ApiRequest, signal: AbortSignal): Promise<TransportAnswer> {
    const { transport, userAgent, server, devices } = this.#options;
    const { method = 'GET', body, contentType = 'application/json', accept = 'application/json' } = request;
    const url = this.url(path);
    const token = await tokenInTime(this.#options.token, server, devices, signal);
    const headers = {
      authorization: `Bearer ${token}`,
      accept,
      'user-agent': userAgent,
      ...(body !== undefined && { 'content-type': contentType }),
      ...request.headers,
    };
    try {
      return await transport.request({ url, method, headers, signal, ...(body !== undefined && { body }) });
    } catch (error) {
      throw signal.aborted ? error : unreachable(server, error as Error);
    }
  }

  async #whole(answer: TransportAnswer, signal: AbortSignal): Promise<ApiAnswer> {
    const { status, body } = answer;
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    try {
      for await (const chunk of body) {
        bytes += chunk.byteLength;
        if (bytes > answerBytesMax) throw new UnreachableError('too-large', this.#options.server, 'the answer is larger than 256 MiB');
        chunks.push(chunk);
      }
    } catch (error) {
      throw signal.aborted || error instanceof UnreachableError ? error : this.#brokenOff(error);
    }
    const seconds = Number(answer.header('retry-after') ?? Number.NaN);
    const decoder = new TextDecoder();
    const text = chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join('') + decoder.decode();
    return { status, header: (name) => answer.header(name), text, ...(seconds >= 0 && { retryAfterMs: seconds * 1000 }) };
  }

  #brokenOff(cause: unknown): UnreachableError {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new UnreachableError('broken-off', this.#options.server, `the platform broke the answer off (${why})`, cause);
  }

  #late(cause?: unknown): UnreachableError {
    return new UnreachableError('deadline', this.#options.server, `${this.#options.server} did not answer in time`, cause);
  }
}

/** The decoded body of a successful response. @throws ApiError, also when the response is not the platform's */
export function decoded<T>(answer: ApiAnswer): T {
  const { status, text } = answer;
  if (status >= 300) throw ApiError.of(answer);
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new ApiError(status, { message: `the answer with status ${status} is not JSON: it may not come from the platform` });
  }
}

/** A 404 with one of these codes means that the platform serves nothing at the path, rather than that one object there does not exist. */
const unservedCodes: ReadonlySet<string> = new Set(['TAP_REQUEST_PATH_UNKNOWN', 'TAP_KIND_NOT_FOUND']);

/** Whether a response says that one object does not exist. A 404 that is not JSON does not: it may not come from the platform. */
function isAbsence({ status, text }: ApiAnswer): boolean {
  if (status !== 404) return false;
  try {
    return !unservedCodes.has(new ApiError(status, JSON.parse(text)).code);
  } catch {
    return false;
  }
}

function isRepeatable({ method = 'GET', isRepeatable: override }: ApiRequest): boolean {
  return override ?? method === 'GET';
}

/** Whether a request is refused only for now. A conflict with a retry time means that the first attempt of the same request still runs. */
function isRefusedForNow({ status, retryAfterMs }: ApiAnswer, request: ApiRequest): boolean {
  if (status === 429 || status === 503) return retryAfterMs !== undefined || isRepeatable(request);
  return status === 409 && retryAfterMs !== undefined;
}

function withDeadline({ timeoutMs = timeoutMsDefault, signal }: ApiRequest): AbortSignal {
  const deadline = AbortSignal.timeout(timeoutMs);
  return signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
}

function unreachable(server: string, cause: Error): UnreachableError {
  const refusal = untrusted(cause, server);
  if (refusal !== undefined) return refusal;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  // A request that never connected was not executed; of all others that is unknown.
  const reason = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT/.test(code) ? 'unreachable' : 'broken-off';
  return new UnreachableError(reason, server, `${server} does not answer (${code || cause.message})`, cause);
}

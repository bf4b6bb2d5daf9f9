import type { AnyKind } from '@tappaas/sdk';
import type { Devices } from './back-off.js';
import type { ExecOutput, ExecRequest } from './exec.js';
import type { GraphQlRequest } from './graphql.js';
import type { TypedDocument } from './graphql-document.js';
import { Http, type ApiAnswer, type ApiRequest } from './http.js';
import type { LogOptions } from './log-following.js';
import { Objects } from './objects.js';
import type { RoomMessage, RoomRequest } from './room-message.js';
import type { Rooms } from './rooms.js';
import type { SubscribeOptions } from './subscription.js';
import type { GiveToken } from './token.js';
import type { Transport } from './transport.js';
import { untilObject, type Followed } from './until.js';
import { watchPath, type WatchEvent, type WatchOptions } from './watch.js';

/** The platform's address, the credential, and limits of a client. */
export interface ClientOptions {
  /** `https://HOST:PORT`; plain http only to this machine, since the token is sent with each request. */
  readonly server: string;
  /** A bearer token, or a function that returns a valid one. */
  readonly token: string | GiveToken;
  /** PEM of the authorities to trust; absent: those that Node or the browser trusts. Not for browsers. */
  readonly certificateAuthority?: string;
  /** Value of the header `User-Agent`. Default: `tappaas-client`. */
  readonly userAgent?: string;
  /** Maximum number of times that an idempotent request is sent. Default: 4. */
  readonly attemptsMax?: number;
}

/**
 * A client of the platform's API. Paths are relative to `server` and begin with one slash: a path that would lead elsewhere, such as
 * `//host/x`, is refused with a TypeError before anything is sent, since the token is sent along. Redirects are not followed.
 */
export interface Client {
  /** The address as given in the options. */
  readonly server: string;
  /** The objects of a kind, by its handle; `engine` names a cluster's own API, such as `local`. */
  of<K extends AnyKind>(kind: K, options?: { readonly engine?: string }): Objects<K>;
  /** Sends a request and returns the response, whatever its status. @throws UnreachableError */
  send(path: string, request?: ApiRequest): Promise<ApiAnswer>;
  /**
   * The decoded body of a successful response; undefined when the platform says that the object does not exist.
   *
   * @throws ApiError, also when the platform serves nothing at the path, for example when no plugin serves the kind; UnreachableError
   */
  json<T>(path: string, request?: ApiRequest): Promise<T | undefined>;
  /** The lines of a streamed response, such as a log. @throws ApiError, UnreachableError */
  lines(path: string, signal: AbortSignal): AsyncGenerator<string>;
  /**
   * Follows the log of a pod, given by its path: yields the lines, each after its time, across broken connections and restarts of the
   * container, none of them twice. Ends when the pod is gone, the signal aborts or the client is closed.
   *
   * @throws ApiError or UnreachableError if a retry would not help
   */
  log(pod: string, options: LogOptions): AsyncGenerator<string>;
  /** Watches a collection by its path, across broken connections. @throws ApiError if a retry would not help, ResumeError */
  watch<O>(path: string, options: WatchOptions): AsyncGenerator<WatchEvent<O>>;
  /** Follows one object of a collection until `enough` returns true or the time is over. @throws ApiError if a retry would not help */
  until<T>(
    place: { readonly collection: string; readonly name: string; readonly timeoutMs: number },
    enough: (object: T | undefined) => boolean,
  ): Promise<Followed<T>>;
  /** Executes a GraphQL query or mutation. @throws GraphQlError, ApiError, UnreachableError */
  graphql<T>(request: GraphQlRequest, options?: { readonly signal?: AbortSignal }): Promise<T>;
  /**
   * Follows a subscription over a WebSocket; after a broken connection it resumes behind the last event, so that none is missed and none
   * delivered twice. Ends with the subscription, or when the signal aborts.
   *
   * @throws GraphQlError, ApiError if a retry would not help; ResumeError when it cannot resume where it was
   */
  subscribe<R, V extends object = Readonly<Record<string, unknown>>>(
    document: string | TypedDocument<R, V>,
    variables: V,
    options: SubscribeOptions,
  ): AsyncGenerator<R>;
  /**
   * Runs a command in a container: yields its output as it arrives, and returns its exit code. Leaving the loop, or aborting the signal,
   * ends the command.
   *
   * @throws ApiError, UnreachableError, or the reason of the signal
   */
  exec(request: ExecRequest): AsyncGenerator<ExecOutput, number>;
  /** The messages of a room over socket.io; needs the package `socket.io-client`; resumes by itself. @throws ApiError */
  room(request: RoomRequest, signal: AbortSignal): AsyncGenerator<RoomMessage>;
  /** Ends watches, subscriptions and rooms, whose loops end normally, and closes connections. */
  close(): Promise<void>;
}

/** Creates a client on a transport; `createClient` of the package picks the suitable one. */
export function clientOn(transport: Transport, options: ClientOptions, devices: Devices): Client {
  const { server, token, userAgent = 'tappaas-client', attemptsMax = 4 } = options;
  refuseExposed(server);
  const tokenNow = typeof token === 'string' ? () => token : token;
  const closing = new AbortController();
  const http = new Http({ server, token: tokenNow, userAgent, attemptsMax, transport, devices, closing: closing.signal });
  // Loaded on first use, since most programs do not need it.
  let rooms: Promise<Rooms> | undefined;
  const openRooms = async (): Promise<Rooms> => {
    const [{ Rooms: AllRooms }, { io }] = await Promise.all([import('./rooms.js'), import('socket.io-client')]);
    const { origin, pathname } = new URL(server);
    const path = `${pathname.replace(/\/$/, '')}/socket.io/`;
    const settings = { transports: ['websocket'], autoConnect: false, forceNew: true, path, ...transport.roomOptions };
    // The token is fetched at each connect; a refused handshake carries the reason, which a refused upgrade cannot.
    return new AllRooms({ devices, server, token: tokenNow, open: (auth) => io(origin, { ...settings, auth }) });
  };
  return {
    server,
    of: (kind, { engine } = {}) =>
      new Objects(http, kind, { devices, randomKey: () => crypto.randomUUID(), ...(engine !== undefined && { engine }) }),
    send: (path, request) => http.send(path, request),
    json: (path, request) => http.json(path, request),
    lines: (path, signal) => http.lines(path, signal),
    async *log(pod, options) {
      const { followLog } = await import('./log-following.js');
      yield* followLog(http, pod, options, devices);
    },
    watch: (path, watch) => watchPath(http, path, watch, devices),
    until: (place, enough) => untilObject(http, place, enough, devices),
    async graphql<T>(request: GraphQlRequest, { signal }: { readonly signal?: AbortSignal } = {}) {
      const { requestGraphQl } = await import('./graphql.js');
      return requestGraphQl<T>(http, request, signal);
    },
    async *subscribe<R, V extends object>(document: string | TypedDocument<R, V>, variables: V, { signal, resume }: SubscribeOptions) {
      const { subscribe } = await import('./subscription.js');
      const url = http.url('/graphql');
      url.protocol = url.protocol.replace('http', 'ws');
      const ends = AbortSignal.any([signal, closing.signal]);
      yield* subscribe<R>({ transport, url, token: tokenNow, devices }, document, variables, { signal: ends, ...(resume && { resume }) });
    },
    async *exec(request) {
      const { exec, execPath } = await import('./exec.js');
      const url = http.url(execPath(request));
      url.protocol = url.protocol.replace('http', 'ws');
      const signal = AbortSignal.any([request.signal, closing.signal]);
      return yield* exec({ transport, url, token: tokenNow, devices }, { ...request, signal });
    },
    async *room(request, signal) {
      yield* (await (rooms ??= openRooms())).follow(request, AbortSignal.any([signal, closing.signal]));
    },
    async close() {
      closing.abort();
      (await rooms?.catch(() => undefined))?.close();
      transport.close();
    },
  };
}

/** @throws TypeError */
function refuseExposed(server: string): void {
  const { protocol, hostname } = new URL(server);
  const isHere = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
  if (protocol === 'https:' || (protocol === 'http:' && isHere)) return;
  throw new TypeError(`server ${server}: expected https, since a token is never sent unencrypted over a network`);
}

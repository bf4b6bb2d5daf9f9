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

/** Where the platform is, who asks, and how patiently. */
export interface ClientOptions {
  /** `https://HOST:PORT`; plain http only to this machine, since the token goes along. */
  readonly server: string;
  /** A bearer token, or where to get the one that is good now. */
  readonly token: string | GiveToken;
  /** PEM; absent: the authorities that Node or the browser trusts. Not for browsers. */
  readonly certificateAuthority?: string;
  /** Default: `tappaas-client`. */
  readonly userAgent?: string;
  /** How often a request that does no harm twice is sent at most. Default: 4. */
  readonly attemptsMax?: number;
}

/**
 * A client of the platform's API. Paths are those of `server` and begin with one slash: one that would leave it, such as `//host/x`, is
 * refused with a TypeError before anything is sent, since the token goes along. Redirects are not followed.
 */
export interface Client {
  /** The address as it was given. */
  readonly server: string;
  /** The objects of a kind, by its handle; `engine` names a cluster's own API, such as `local`. */
  of<K extends AnyKind>(kind: K, options?: { readonly engine?: string }): Objects<K>;
  /** Any answer, whatever its status. @throws UnreachableError */
  send(path: string, request?: ApiRequest): Promise<ApiAnswer>;
  /**
   * The decoded body of a success; undefined when the platform says that what is asked for does not exist.
   *
   * @throws ApiError, also where the platform serves nothing at the path, as when no plugin serves the kind; UnreachableError
   */
  json<T>(path: string, request?: ApiRequest): Promise<T | undefined>;
  /** The lines of a streamed answer, such as a log. @throws ApiError, UnreachableError */
  lines(path: string, signal: AbortSignal): AsyncGenerator<string>;
  /**
   * Follows the log of a pod, by the pod's path: its lines, each behind its time, over broken connections and restarts of the container, none twice. Ends
   * when the pod is gone, the signal aborts or the client is closed.
   *
   * @throws ApiError for what another try would not change, UnreachableError likewise
   */
  log(pod: string, options: LogOptions): AsyncGenerator<string>;
  /** Watches a collection by its path, over broken connections. @throws ApiError for what another try would not change, ResumeError */
  watch<O>(path: string, options: WatchOptions): AsyncGenerator<WatchEvent<O>>;
  /** Follows one object of a collection until `enough` or the time is over. @throws ApiError for what another try would not change */
  until<T>(
    place: { readonly collection: string; readonly name: string; readonly timeoutMs: number },
    enough: (object: T | undefined) => boolean,
  ): Promise<Followed<T>>;
  /** Asks by GraphQL. @throws GraphQlError, ApiError, UnreachableError */
  graphql<T>(request: GraphQlRequest, options?: { readonly signal?: AbortSignal }): Promise<T>;
  /**
   * Follows a subscription over a WebSocket; a break is taken up behind the last event, so that none is missed and none told twice.
   * Ends with the subscription, or when the signal aborts.
   *
   * @throws GraphQlError, ApiError for what another try would not change; ResumeError when it cannot go on where it was
   */
  subscribe<R, V extends object = Readonly<Record<string, unknown>>>(
    document: string | TypedDocument<R, V>,
    variables: V,
    options: SubscribeOptions,
  ): AsyncGenerator<R>;
  /**
   * Runs a command beside a container: what it writes, as it comes, and at last its exit code, which is what the generator returns. Leaving the
   * loop, or aborting the signal, ends the command.
   *
   * @throws ApiError, UnreachableError, or the reason of the signal
   */
  exec(request: ExecRequest): AsyncGenerator<ExecOutput, number>;
  /** The messages of a room over socket.io, for which `socket.io-client` has to be installed; resumes by itself. @throws ApiError */
  room(request: RoomRequest, signal: AbortSignal): AsyncGenerator<RoomMessage>;
  /** Ends watches, subscriptions and rooms, whose loops end in order, and connections. */
  close(): Promise<void>;
}

/** Makes a client on a transport; `createClient` of the package picks the one that fits. */
export function clientOn(transport: Transport, options: ClientOptions, devices: Devices): Client {
  const { server, token, userAgent = 'tappaas-client', attemptsMax = 4 } = options;
  refuseExposed(server);
  const tokenNow = typeof token === 'string' ? () => token : token;
  const closing = new AbortController();
  const http = new Http({ server, token: tokenNow, userAgent, attemptsMax, transport, devices, closing: closing.signal });
  // What most programs do not use is loaded by those that do.
  let rooms: Promise<Rooms> | undefined;
  const openRooms = async (): Promise<Rooms> => {
    const [{ Rooms: AllRooms }, { io }] = await Promise.all([import('./rooms.js'), import('socket.io-client')]);
    const { origin, pathname } = new URL(server);
    const path = `${pathname.replace(/\/$/, '')}/socket.io/`;
    const settings = { transports: ['websocket'], autoConnect: false, forceNew: true, path, ...transport.roomOptions };
    // The token is asked for at each connect; a refusal of the handshake says why, which one of the upgrade cannot.
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
      const { askGraphQl } = await import('./graphql.js');
      return askGraphQl<T>(http, request, signal);
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

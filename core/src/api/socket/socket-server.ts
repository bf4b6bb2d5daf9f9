import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Logger } from '@tappaas/sdk';
import type { Server as Engine } from 'engine.io';
import type { Server, Socket } from 'socket.io';
import { apiErrors } from '../errors.js';
import { failureStatus, publicError } from '../answer/status.js';
import { StreamEnd } from '../watch/stream-pace.js';
import type { ServedUpgrade, UpgradeCall } from '../upgrade/upgrade.js';
import { SocketClient, type ClientParts } from './client.js';
import { adapterOf, type AdapterMaker } from './joined.js';
import { linesAbout, type MetricsPage } from './metrics-room.js';
import { EventFrames } from './object-room.js';
import { messageBytesMax } from './outbox.js';
import { readAtClientPace } from './read-pace.js';

/** Path of socket.io, its own default. */
const socketPath = '/socket.io/';

export interface SocketOptions extends Omit<ClientParts, 'frames' | 'pages'> {
  readonly metrics: () => string | Promise<string>;
  /** Names this process in its metrics. */
  readonly replica: string;
  /** Identifies the metrics of the page; of processes with the same page only one is used. Default: this process. */
  readonly metricsOf?: string;
  /** Connects the socket servers of several processes. Absent: this process is on its own. */
  readonly adapter?: () => Promise<AdapterMaker | undefined>;
}

const signInMsMax = 10_000;
const requestMsMax = 2000;
const metricsQuestion = 'metrics';

/** The socket.io endpoint. */
export interface Sockets {
  readonly upgrade: ServedUpgrade;
  /** Closes all connections, and the adapter to other processes. */
  close(): Promise<void>;
}

/** Serves the platform's rooms over socket.io; the library is loaded with the first client. */
export function createSockets(options: SocketOptions): Sockets {
  let running: Promise<RoomServer> | undefined;
  const start = (): Promise<RoomServer> => {
    const started = startRooms(options);
    started.catch(() => {
      running = undefined;
    });
    return started;
  };
  const upgrade: ServedUpgrade = {
    path: socketPath,
    match: ({ path }) => path.path === socketPath,
    signsInLater: true,
    handle: async (call) => {
      refuseTransport(call);
      running ??= start();
      await (await running).serve(call);
    },
  };
  return { upgrade, close: async () => (await running?.catch(() => undefined))?.close() };
}

/** Rejects long polling: it would be a second transport with cookies, sticky routing and answers that hold no seat. */
function refuseTransport({ exchange }: UpgradeCall): void {
  const { query } = exchange;
  const isFit = query.get('transport') === 'websocket' && query.get('EIO') === '4' && !query.has('sid');
  if (isFit) return;
  const message = `${socketPath} is served to version 4 of engine.io over transport=websocket only, without a sid`;
  throw apiErrors.TAP_REQUEST_PARAMETER_INVALID({ message });
}

interface RoomServer {
  /** Serves one connection until it closes. */
  serve(call: UpgradeCall): Promise<void>;
  close(): Promise<void>;
}

async function startRooms(options: SocketOptions): Promise<RoomServer> {
  const adapter = await openAdapter(options);
  const { io, engine } = await loadServers(adapter);
  answerOthers(io, options);
  const calls = new WeakMap<IncomingMessage, UpgradeCall>();
  const requested = new WeakSet<UpgradeCall>();
  const parts: ClientParts = {
    ...options,
    frames: new EventFrames(),
    pages: (names) => pagesOf(io, options, names, adapter !== undefined),
  };
  const admitted = async (call: UpgradeCall, socket: Socket, next: (refusal?: Error) => void): Promise<void> =>
    next(await admit(call, socket, options.log));
  io.use((socket, next) => {
    const call = calls.get(socket.request);
    if (call === undefined) next(new Error('a connection has come past the chain'));
    else if (requested.has(call)) socket.conn.close();
    else {
      // A connection is admitted or refused once; socket.io itself would let a refused client try again.
      requested.add(call);
      void admitted(call, socket, next);
    }
  });
  io.on('connection', (socket: Socket) => {
    const call = calls.get(socket.request);
    if (call === undefined) return;
    void new SocketClient(socket, call.exchange, parts);
    const { signal } = call.exchange;
    const end = (): void => endOf(socket, signal.reason);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  return {
    close: () => io.close(),
    async serve(call) {
      const { request, socket, head } = call.takeOver();
      calls.set(request, call);
      const closed = once(socket, 'close');
      const { signal } = call.exchange;
      const { clock } = options;
      // Cuts off a client that does not read the end message, or has never authenticated.
      const cutOff = (): void => void clock.sleep(endMsMax, neverAborted).then(() => socket.destroy());
      if (signal.aborted) cutOff();
      else signal.addEventListener('abort', cutOff, { once: true });
      engine.handleUpgrade(request, socket, head);
      await closed;
    },
  };
}

/** Makes socket.io's servers: one for messages, one for the connections below them. */
async function loadServers(adapter: AdapterMaker | undefined): Promise<{ readonly io: Server; readonly engine: Engine }> {
  const [socketIo, engineIo] = await Promise.all([import('socket.io'), import('engine.io')]);
  const limits = { maxHttpBufferSize: messageBytesMax, perMessageDeflate: false, httpCompression: false } as const;
  const engine = new engineIo.Server({ ...limits, transports: ['websocket'], pingInterval: 20_000, pingTimeout: 20_000 });
  engine.on('connection', readAtClientPace);
  // Deliberately no connection state recovery: it sends missed messages before authentication. Clients resume by resourceVersion.
  const io = new socketIo.Server({
    serveClient: false,
    connectTimeout: signInMsMax,
    ...(adapter !== undefined && { adapter: adapterOf(adapter) }),
  });
  io.bind(engine);
  return { io, engine };
}

/** Opens the adapter to other processes; if that fails, this process continues without. */
async function openAdapter({ adapter, log }: SocketOptions): Promise<AdapterMaker | undefined> {
  try {
    return await adapter?.();
  } catch (error) {
    log.warn('the sockets of this process stand alone, since what joins them to others does not answer', { error });
    return undefined;
  }
}

/** Time for a client to read why it is disconnected. */
const endMsMax = 1000;
const neverAborted = new AbortController().signal;

function endOf(socket: Socket, reason: unknown): void {
  if (reason instanceof StreamEnd) socket.emit('end', { reason: reason.reason });
  socket.disconnect(true);
}

/** Authenticates a connection without a credential by the token of its handshake. Returns the error for socket.io to send, if refused. */
async function admit(call: UpgradeCall, socket: Socket, log: Logger): Promise<Error | undefined> {
  if (call.exchange.identity !== undefined) return undefined;
  const { token } = socket.handshake.auth as { readonly token?: unknown };
  try {
    if (typeof token !== 'string' || !/^[\x21-\x7e]{1,8192}$/.test(token)) {
      throw apiErrors.TAP_REQUEST_UNAUTHENTICATED({ message: 'the handshake carries no token (auth: { token })' });
    }
    await call.signIn(token);
    return undefined;
  } catch (error) {
    const body = publicError(error, call.exchange.requestId);
    log.debug('a socket was refused', { code: body.code, requestId: call.exchange.requestId });
    return Object.assign(new Error(body.message), { data: failureStatus(body) });
  }
}

/** Answers requests of other processes for this one's metrics, which the adapter transports. */
function answerOthers(io: Server, { metrics, replica, metricsOf = replica }: SocketOptions): void {
  io.on(metricsQuestion, (names: readonly string[], answer: (page: RemotePage | undefined) => void) => {
    Promise.resolve(metrics()).then(
      (page) => answer({ of: metricsOf, replica, text: linesAbout(page, names) }),
      () => answer(undefined),
    );
  });
}

/** A metrics page, with the identity of its metrics. */
interface RemotePage extends MetricsPage {
  readonly of: string;
}

/** Collects the pages of all processes, one for each identity. */
async function pagesOf(
  io: Server,
  { metrics, replica, metricsOf = replica, clock }: SocketOptions,
  names: readonly string[],
  isJoined: boolean,
): Promise<readonly MetricsPage[]> {
  const own = { replica, text: linesAbout(await metrics(), names) };
  if (!isJoined) return [own];
  const round = new AbortController();
  const requested: Promise<readonly (RemotePage | undefined)[]> = io.serverSideEmitWithAck(metricsQuestion, names);
  // Processes that do not answer in time are left out of this round.
  const others: readonly (RemotePage | undefined)[] = await Promise.race([
    requested,
    clock.sleep(requestMsMax, round.signal).then(() => []),
  ]).catch(() => []);
  round.abort();
  const pages = new Map([[metricsOf, own]]);
  for (const page of others) {
    if (page !== undefined && !pages.has(page.of)) pages.set(page.of, { replica: page.replica, text: page.text });
  }
  return [...pages.values()];
}

import { BackOff, type Devices } from './back-off.js';
import { ApiError, UnreachableError } from './errors.js';
import { RoomFeed } from './room-feed.js';
import type { Closing, RoomMessage, RoomRequest, RoomEvent } from './room-message.js';
import { refusedSocket } from './refused-connection.js';
import { tokenInTime, type GiveToken } from './token.js';

/** The part of socket.io's client that is used; the application installs the library. */
interface Socket {
  readonly connected: boolean;
  readonly active: boolean;
  connect(): void;
  disconnect(): void;
  on(name: string, listener: (message: never) => void): void;
  timeout(ms: number): { emit(name: string, message: object, acknowledged: (late: unknown, answer?: Answer) => void): void };
}

/** Called by the library to get the credentials for the handshake. */
type Authenticate = (answer: (credentials: object) => void) => void;

export interface RoomsOptions {
  /** Creates a socket that reconnects by itself, and is not connected yet. */
  readonly open: (authenticate: Authenticate) => Socket;
  readonly server: string;
  readonly token: GiveToken;
  readonly devices: Devices;
}

/** A refusal by the platform, or a failed connection with the reason that its WebSocket gave. */
interface ConnectError {
  readonly data?: { readonly code?: number };
  readonly description?: { readonly error?: unknown };
}

interface Answer {
  readonly room?: string;
  readonly error?: { readonly code?: number };
}

interface Membership {
  readonly feed: RoomFeed;
  readonly signal: AbortSignal;
  /** Delays attempts to join until a message of the room arrives. */
  readonly backOff: BackOff;
  name: string | undefined;
  /** Increases with every attempt to join, so that an old attempt stops when a new one begins. */
  attempt: number;
}

const answerMsMax = 30_000;

/** All rooms of a client, over one connection; after a break each room is joined again where it was. */
export class Rooms {
  readonly #options: RoomsOptions;
  readonly #members = new Set<Membership>();
  readonly #backOff: BackOff;
  readonly #closing = new AbortController();
  #socket: Socket | undefined;
  /** Counts joins: each has a room id of its own, so that messages of an earlier join are not mistaken for its own. */
  #joins = 0;

  constructor(options: RoomsOptions) {
    this.#options = options;
    this.#backOff = new BackOff(options.devices);
  }

  /** The messages of a room until the signal aborts. @throws ApiError if a retry would not help */
  async *follow(request: RoomRequest, signal: AbortSignal): AsyncGenerator<RoomMessage> {
    const feed = new RoomFeed(request);
    const member: Membership = { feed, signal, backOff: new BackOff(this.#options.devices), name: undefined, attempt: 0 };
    const end = (): void => feed.end();
    if (signal.aborted) return;
    signal.addEventListener('abort', end, { once: true });
    this.#members.add(member);
    try {
      const socket = (this.#socket ??= this.#open());
      if (socket.connected) void this.#join(socket, member);
      yield* feed.messages(() => void this.#join(socket, member));
    } finally {
      signal.removeEventListener('abort', end);
      this.#members.delete(member);
      member.attempt += 1;
      if (this.#socket !== undefined) this.#part(this.#socket, member);
    }
  }

  close(): void {
    this.#closing.abort();
    for (const { feed } of this.#members) feed.end();
    this.#socket?.disconnect();
  }

  #open(): Socket {
    const socket: Socket = this.#options.open((answer) => void this.#authenticate(socket, answer));
    const onMessage = (message: RoomEvent): void => {
      for (const { feed, backOff, name } of this.#members) {
        if (name !== message.room) continue;
        backOff.reset();
        feed.receive(message);
      }
    };
    for (const name of ['event', 'log', 'metrics']) socket.on(name, onMessage);
    socket.on('closed', (message: Closing) => {
      for (const member of this.#members) if (member.name === message.room) this.#closed(socket, member, message);
    });
    socket.on('connect', () => {
      this.#backOff.reset();
      for (const member of this.#members) void this.#join(socket, member);
    });
    socket.on('disconnect', () => {
      for (const member of this.#members) member.name = undefined;
      void this.#connectAgain(socket);
    });
    socket.on('connect_error', (error: ConnectError) => this.#refused(socket, error));
    socket.connect();
    return socket;
  }

  /** The library does not retry after refusals by the platform itself; those that may pass are retried here. */
  #refused(socket: Socket, { data, description }: ConnectError): void {
    const failure = data === undefined ? refusedSocket(description?.error, this.#options.server) : new ApiError(data.code ?? 500, data);
    if (failure !== undefined && !failure.isPassing) this.#giveUp(socket, failure);
    else void this.#connectAgain(socket, failure instanceof ApiError ? failure.retryAfterMs : undefined);
  }

  async #authenticate(socket: Socket, answer: (credentials: object) => void): Promise<void> {
    const { token, server, devices } = this.#options;
    try {
      answer({ token: await tokenInTime(token, server, devices, this.#closing.signal) });
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      const isPassing = (error instanceof UnreachableError || error instanceof ApiError) && error.isPassing;
      if (!isPassing) this.#giveUp(socket, error);
      else {
        socket.disconnect();
        void this.#connectAgain(socket);
      }
    }
  }

  /** Closes the connection, so that the next room opens a new one, possibly with a better token. */
  #giveUp(socket: Socket, failure: unknown): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    socket.disconnect();
    for (const { feed } of this.#members) feed.fail(failure);
    this.#members.clear();
  }

  /** Reconnects after a disconnect by the platform; after any other break the library reconnects by itself. */
  async #connectAgain(socket: Socket, retryAfterMs?: number): Promise<void> {
    if (socket.active) return;
    await this.#backOff.wait(this.#closing.signal, retryAfterMs).catch(() => {});
    if (!this.#closing.signal.aborted && !socket.active && this.#socket === socket) socket.connect();
  }

  /** Joins a room. `afterMs`: after that time plus the member's back-off, instead of at once. */
  async #join(socket: Socket, member: Membership, afterMs?: number): Promise<void> {
    this.#part(socket, member);
    member.attempt += 1;
    const { attempt, feed, signal, backOff } = member;
    let waitMs = afterMs;
    const isCurrent = (): boolean => socket.connected && member.attempt === attempt && !signal.aborted;
    for (;;) {
      if (waitMs !== undefined) await backOff.wait(signal, waitMs).catch(() => {});
      if (!isCurrent()) return;
      this.#joins += 1;
      const answer = await emitWithAck(socket, 'join', { ...feed.joining(), id: String(this.#joins) }, ({ room }) => {
        if (isCurrent()) member.name = room;
      });
      if (!isCurrent() || member.name !== undefined) return;
      waitMs = answer?.error === undefined ? 0 : feed.refused(answer.error);
      if (waitMs === undefined) return;
    }
  }

  #closed(socket: Socket, member: Membership, message: Closing): void {
    member.name = undefined;
    const afterMs = member.feed.closed(message);
    if (afterMs === undefined) member.feed.end();
    else void this.#join(socket, member, afterMs);
  }

  /** Leaves the room of a member; the response does not matter, since its messages are ignored from now on. */
  #part(socket: Socket, member: Membership): void {
    const { name } = member;
    member.name = undefined;
    if (name !== undefined && socket.connected) void emitWithAck(socket, 'leave', { room: name });
  }
}

/** Sends a message and returns the response; undefined if none arrives in time. `now` is called before any message that follows it. */
function emitWithAck(socket: Socket, name: string, message: object, now?: (answer: Answer) => void): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    socket.timeout(answerMsMax).emit(name, message, (_, answer) => {
      if (answer !== undefined) now?.(answer);
      resolve(answer);
    });
  });
}

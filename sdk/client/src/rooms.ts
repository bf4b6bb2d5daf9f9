import { BackOff, type Devices } from './back-off.js';
import { ApiError, UnreachableError } from './errors.js';
import { RoomFeed } from './room-feed.js';
import type { Closing, RoomMessage, RoomRequest, Told } from './room-message.js';
import { refusedSocket } from './refused-connection.js';
import { tokenInTime, type GiveToken } from './token.js';

/** As much of socket.io's client as is used; the library is the application's own. */
interface Socket {
  readonly connected: boolean;
  readonly active: boolean;
  connect(): void;
  disconnect(): void;
  on(name: string, heard: (message: never) => void): void;
  timeout(ms: number): { emit(name: string, message: object, answered: (late: unknown, answer?: Answer) => void): void };
}

/** Asks for what the handshake carries. */
type Authenticate = (answer: (credentials: object) => void) => void;

export interface RoomsOptions {
  /** Opens a socket that reconnects by itself, and is not connected yet. */
  readonly open: (authenticate: Authenticate) => Socket;
  readonly server: string;
  readonly token: GiveToken;
  readonly devices: Devices;
}

/** A refusal of the platform, or that there was no connection: what its WebSocket said of why. */
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
  /** Until something is heard of the room. */
  readonly backOff: BackOff;
  name: string | undefined;
  /** Rises with every try to join, so that an old one does not go on beside a new one. */
  attempt: number;
}

const answerMsMax = 30_000;

/** All rooms of a client, over one connection; whatever breaks is joined again from where each room was. */
export class Rooms {
  readonly #options: RoomsOptions;
  readonly #members = new Set<Membership>();
  readonly #backOff: BackOff;
  readonly #closing = new AbortController();
  #socket: Socket | undefined;
  /** Each join has a room of its own, so that nothing of an earlier one is taken for it. */
  #joins = 0;

  constructor(options: RoomsOptions) {
    this.#options = options;
    this.#backOff = new BackOff(options.devices);
  }

  /** The messages of a room until the signal aborts. @throws ApiError for what another try would not change */
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
    const told = (message: Told): void => {
      for (const { feed, backOff, name } of this.#members) {
        if (name !== message.room) continue;
        backOff.reset();
        feed.hear(message);
      }
    };
    for (const name of ['event', 'log', 'metrics']) socket.on(name, told);
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

  /** Refusals of the platform itself are not tried again by the library; those that may pass are tried again here. */
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

  /** The next room has a connection of its own: it may come with a better token. */
  #giveUp(socket: Socket, failure: unknown): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    socket.disconnect();
    for (const { feed } of this.#members) feed.fail(failure);
    this.#members.clear();
  }

  /** After a disconnect that the platform asked for; whatever else breaks, the library mends. */
  async #connectAgain(socket: Socket, retryAfterMs?: number): Promise<void> {
    if (socket.active) return;
    await this.#backOff.wait(this.#closing.signal, retryAfterMs).catch(() => {});
    if (!this.#closing.signal.aborted && !socket.active && this.#socket === socket) socket.connect();
  }

  /** `afterMs`: not at once, but after that time and the member's own. */
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
      const answer = await ask(socket, 'join', { ...feed.joining(), id: String(this.#joins) }, ({ room }) => {
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

  /** Leaves the room that a member is in; whatever the answer, nobody listens to it any more. */
  #part(socket: Socket, member: Membership): void {
    const { name } = member;
    member.name = undefined;
    if (name !== undefined && socket.connected) void ask(socket, 'leave', { room: name });
  }
}

/** Nothing when no answer comes in time. `now` hears it before any message that follows it. */
function ask(socket: Socket, name: string, message: object, now?: (answer: Answer) => void): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    socket.timeout(answerMsMax).emit(name, message, (_, answer) => {
      if (answer !== undefined) now?.(answer);
      resolve(answer);
    });
  });
}

/** Connections to one of several workers, which take them as they come: opened until one is there. */
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { createClient as createSubscriber } from 'graphql-ws';
import { io, type Socket } from 'socket.io-client';
import { WebSocket } from 'ws';
import type { Connection } from './platform-process.ts';

/** One worker may take most of what comes one after the other. */
const triesMax = 2_000;

/** Sends one request and reads what it is answered. */
type Send = <T>(method: string, path: string, body?: object) => Promise<T>;

/** The connections of a user to each worker. */
export function toBoth(t: { teardown(close: () => void): void }, connection: Connection): readonly Pinned[] {
  const both = ['w1', 'w2'].map((worker) => new Pinned(connection, worker));
  t.teardown(() => both.forEach((each) => each.close()));
  return both;
}

/** An open stream. */
export interface Stream {
  /** Everything that has come so far. */
  text(): string;
  /** Resolves when nothing comes any more. */
  readonly over: Promise<void>;
  end(): void;
}

/** One connection after the other, each to the worker of that name, as the holder of a token. */
export class Pinned {
  readonly worker: string;
  readonly #connection: Connection;
  readonly #agents: Agent[] = [];

  constructor(connection: Connection, worker: string) {
    this.#connection = connection;
    this.worker = worker;
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }

  /** Sends one request there and reads its answer. */
  async send<T>(method: string, path: string, body?: object): Promise<T> {
    const send = await this.sender();
    return send(method, path, body);
  }

  /** Sends requests over one connection that is open already. */
  async sender(): Promise<Send> {
    const agent = await this.#agent();
    return async <T>(method: string, path: string, body?: object): Promise<T> => {
      const { answer, text } = await this.#send(agent, method, path, body);
      if ((answer.statusCode ?? 0) >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
      return JSON.parse(text) as T;
    };
  }

  async graphql<T>(query: string): Promise<T> {
    const { data, errors } = await this.send<{ data: T; errors?: unknown }>('POST', '/graphql', { query });
    if (errors !== undefined) throw new Error(`${query}: ${JSON.stringify(errors)}`);
    return data;
  }

  /** An answer that is read as it comes: a watch, a log. */
  async stream(path: string): Promise<Stream> {
    const agent = await this.#agent();
    const outgoing = request(new URL(path, this.#connection.server), { agent, headers: this.#headers });
    const over = Promise.withResolvers<void>();
    let text = '';
    outgoing
      .on('error', () => over.resolve())
      .on('response', (answer) => {
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('error', () => over.resolve()).on('close', () => over.resolve());
      });
    outgoing.end();
    return { text: () => text, over: over.promise, end: () => outgoing.destroy() };
  }

  /** A command in a container: channels of `v5.channel.k8s.io`. */
  async channels(path: string): Promise<Stream> {
    const socket = await this.#socket(path, 'v5.channel.k8s.io');
    const over = Promise.withResolvers<void>();
    let text = '';
    socket.on('message', (bytes: Buffer) => (text += bytes.subarray(1).toString('utf8')));
    socket.on('close', () => over.resolve());
    socket.on('error', () => over.resolve());
    return { text: () => text, over: over.promise, end: () => socket.terminate() };
  }

  async subscription(query: string): Promise<Stream> {
    const agent = await this.#agent();
    const headers = this.#headers;
    const over = Promise.withResolvers<void>();
    let text = '';
    const client = createSubscriber({
      url: `${this.#connection.server.replace('https:', 'wss:')}/graphql`,
      retryAttempts: 0,
      webSocketImpl: class extends WebSocket {
        constructor(url: string, protocols: string[]) {
          super(url, protocols, { headers, agent });
        }
      },
    });
    client.subscribe(
      { query },
      {
        next: (value) => void (text += `${JSON.stringify(value)}\n`),
        error: () => over.resolve(),
        complete: () => over.resolve(),
      },
    );
    return { text: () => text, over: over.promise, end: () => client.terminate() };
  }

  /** A room of socket.io. */
  async room(topic: string, about: object): Promise<Stream> {
    const agent = await this.#agent();
    const socket: Socket = io(this.#connection.server, {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      agent: agent as never,
      extraHeaders: this.#headers,
    });
    const over = Promise.withResolvers<void>();
    let text = '';
    socket.onAny((event: string, value: unknown) => void (text += `${event} ${JSON.stringify(value)}\n`));
    socket.on('disconnect', () => over.resolve()).on('connect_error', () => over.resolve());
    await Promise.race([new Promise<void>((done) => void socket.once('connect', done)), over.promise]);
    const answer = (await socket.emitWithAck('join', { topic, ...about })) as { readonly error?: unknown };
    if (answer.error !== undefined) throw new Error(`room ${topic}: ${JSON.stringify(answer.error)}`);
    return { text: () => text, over: over.promise, end: () => socket.disconnect() };
  }

  get #headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#connection.token}` };
  }

  async #socket(path: string, protocol: string): Promise<WebSocket> {
    const agent = await this.#agent();
    const url = `${this.#connection.server.replace('https:', 'wss:')}${path}`;
    const socket = new WebSocket(url, [protocol], { headers: this.#headers, agent });
    await new Promise<void>((done, fail) => {
      socket.once('open', done);
      socket.once('unexpected-response', (_, { statusCode }) => fail(new Error(`${path}: ${statusCode}`)));
      socket.once('error', fail);
    });
    return socket;
  }

  /** With one connection that is open already, to the worker. */
  async #agent(): Promise<Agent> {
    for (let tries = 0; tries < triesMax; tries += 1) {
      const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: this.#connection.ca });
      const { answer } = await this.#send(agent, 'GET', '/version');
      if (String(answer.headers['x-request-id']).startsWith(`${this.worker}-`)) {
        this.#agents.push(agent);
        return agent;
      }
      agent.destroy();
    }
    throw new Error(`none of ${triesMax} connections was taken by ${this.worker}`);
  }

  #send(agent: Agent, method: string, path: string, body?: object) {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise<{ answer: IncomingMessage; text: string }>((done, fail) => {
      const headers = {
        ...this.#headers,
        ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      };
      const outgoing = request(new URL(path, this.#connection.server), { method, agent, headers }, (answer) => {
        let received = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
        answer.on('error', fail).on('end', () => done({ answer, text: received }));
      });
      outgoing.on('error', fail).end(text);
    });
  }
}

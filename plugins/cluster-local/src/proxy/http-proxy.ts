import type { Agent, ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Balancer } from './balancer.js';
import type { Endpoint } from './endpoints.js';
import { downstreamHeaders, hasBody, isIdempotent, upstreamHeaders } from './http-headers.js';
import type { Target } from './ingress-routes.js';
import { HttpAgent, request as httpRequest } from '../node-http.js';

/** The target of a request, or the response that the proxy itself gives. */
export type Decision = { readonly target: Target } | { readonly target?: undefined; readonly status: number; readonly text: string };

export interface HttpProxyOptions {
  readonly balancer: Balancer;
  readonly decide: (request: IncomingMessage) => Decision;
  /** Maximum wait for the head of a response, milliseconds. */
  readonly answerMs: number;
}

const triesMax = 4;
/** Idle time after which a kept-alive connection is closed, before servers usually close it, milliseconds. */
const idleMs = 4000;

/** Forwards HTTP requests and upgrades to endpoints. */
export class HttpProxy {
  readonly #options: HttpProxyOptions;
  readonly #agent = new HttpAgent({ keepAlive: true, maxFreeSockets: 64, scheduling: 'lifo', timeout: idleMs });
  readonly #tunnels = new Set<Duplex>();

  constructor(options: HttpProxyOptions) {
    this.#options = options;
  }

  /** Listener for a server's `request` event. */
  readonly onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const decision = this.#options.decide(request);
    if (!decision.target) return answer(response, decision.status, decision.text);
    const { service, portName } = decision.target;
    const endpoints = this.#options.balancer.choose(service, portName).slice(0, triesMax);
    new Exchange(request, response, endpoints, decision.target, this.#agent, this.#options).next();
  };

  /** Listener for a server's `upgrade` event: turns the connection into a tunnel. */
  readonly onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const decision = this.#options.decide(request);
    socket.on('error', () => undefined);
    if (!decision.target) return refuse(socket, decision.status, decision.text);
    const { service, portName } = decision.target;
    this.#tunnel(request, socket, head, this.#options.balancer.choose(service, portName).slice(0, triesMax), decision.target);
  };

  /** Closes tunnels and connections to endpoints. */
  close(): void {
    for (const socket of this.#tunnels) socket.destroy();
    this.#agent.destroy();
  }

  #tunnel(request: IncomingMessage, socket: Duplex, head: Buffer, endpoints: readonly Endpoint[], target: Target): void {
    const [endpoint, ...others] = endpoints;
    if (socket.destroyed) return;
    if (!endpoint) return refuse(socket, 503, noEndpoint(target));
    const upstream = connect(endpoint.port, endpoint.host);
    const leave = (): void => void upstream.destroy();
    socket.once('close', leave);
    upstream.once('error', () => {
      socket.off('close', leave);
      if (socket.destroyed) return;
      if (!upstream.connecting && upstream.bytesWritten > 0) return void socket.destroy();
      this.#options.balancer.refuse(endpoint);
      this.#tunnel(request, socket, head, others, target);
    });
    upstream.once('connect', () => {
      socket.off('close', leave);
      const end = this.#options.balancer.begin(endpoint);
      this.#tunnels.add(socket);
      upstream.write(headOf(request));
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
      const close = () => {
        end();
        this.#tunnels.delete(socket);
        upstream.destroy();
        socket.destroy();
      };
      upstream.once('close', close);
      socket.once('close', close);
    });
  }
}

/** Forwards one request to the first endpoint that accepts it. */
class Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #endpoints: Endpoint[];
  readonly #target: Target;
  readonly #agent: Agent;
  readonly #options: HttpProxyOptions;
  readonly #hasBody: boolean;
  #sent: ClientRequest | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    endpoints: readonly Endpoint[],
    target: Target,
    agent: Agent,
    options: HttpProxyOptions,
  ) {
    this.#request = request;
    this.#response = response;
    this.#endpoints = [...endpoints];
    this.#target = target;
    this.#agent = agent;
    this.#options = options;
    this.#hasBody = hasBody(request);
    response.once('close', () => {
      if (!response.writableFinished) this.#sent?.destroy();
    });
  }

  /** Tries the next endpoint. */
  next(): void {
    const endpoint = this.#endpoints.shift();
    if (!endpoint) return answer(this.#response, 503, noEndpoint(this.#target), { 'retry-after': '1' });
    const { balancer, answerMs } = this.#options;
    const end = balancer.begin(endpoint);
    // A request that must not be sent twice gets a new connection: the endpoint may be closing a kept-alive one at this moment.
    const isRepeatable = isIdempotent(this.#request.method) && !this.#hasBody;
    const sent = httpRequest({
      host: endpoint.host,
      port: endpoint.port,
      method: this.#request.method,
      path: this.#request.url,
      headers: upstreamHeaders(this.#request),
      agent: isRepeatable ? this.#agent : false,
      setHost: false,
    });
    this.#sent = sent;
    let connected = false;
    const timer = setTimeout(() => sent.destroy(new AnswerTimeout()), answerMs);
    sent.once('socket', (socket) =>
      onConnect(socket, () => {
        connected = true;
        if (this.#hasBody) this.#request.pipe(sent);
        else sent.end();
      }),
    );
    sent.once('close', () => {
      clearTimeout(timer);
      end();
    });
    sent.once('response', (response) => {
      clearTimeout(timer);
      this.#pass(response);
    });
    sent.once('error', (error) => this.#onError(error, endpoint, connected, isRepeatable));
  }

  #pass(response: IncomingMessage): void {
    const out = this.#response;
    if (out.destroyed) return void response.destroy();
    out.writeHead(response.statusCode ?? 502, response.statusMessage, downstreamHeaders(response));
    response.pipe(out);
    response.once('error', () => out.destroy());
    response.once('aborted', () => out.destroy());
  }

  #onError(error: Error, endpoint: Endpoint, connected: boolean, isRepeatable: boolean): void {
    const out = this.#response;
    if (out.destroyed) return;
    if (out.headersSent) return void out.destroy();
    if (error instanceof AnswerTimeout) {
      return answer(out, 504, `${labelOf(this.#target)} did not answer within ${this.#options.answerMs / 1000} s.`);
    }
    if (!connected) this.#options.balancer.refuse(endpoint);
    if (!connected || isRepeatable) return this.next();
    this.#request.unpipe();
    answer(out, 502, `${labelOf(this.#target)} closed the connection before it answered.`);
  }
}

class AnswerTimeout extends Error {}

function onConnect(socket: Socket, run: () => void): void {
  if (socket.connecting) socket.once('connect', run);
  else run();
}

const labelOf = ({ service, portName }: Target): string =>
  `Service ${service}${portName === '' ? '' : `, port ${portName}`},`.replace(/,$/, '');
const noEndpoint = (target: Target): string => `${labelOf(target)} has no pod that is ready. See: kubectl get pods, tappaas status.`;

/** Responds with a short text for users. */
export function answer(response: ServerResponse, status: number, text: string, headers: Readonly<Record<string, string>> = {}): void {
  if (response.headersSent) return void response.destroy();
  const body = `${text}\n`;
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body), ...headers });
  response.end(body);
}

/** Responds and closes both directions: an upgraded connection has no timeout that would close the half left open by the client. */
function refuse(socket: Duplex, status: number, text: string): void {
  const head = `HTTP/1.1 ${status} Refused\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close`;
  socket.end(`${head}\r\n\r\n${text}\n`, () => void socket.destroy());
}

/** The head of an upgrade request as sent by the client, plus forwarding headers. */
function headOf(request: IncomingMessage): string {
  const lines = [`${request.method} ${request.url} HTTP/1.1`];
  for (let index = 0; index < request.rawHeaders.length; index += 2)
    lines.push(`${request.rawHeaders[index]}: ${request.rawHeaders[index + 1]}`);
  lines.push(`x-forwarded-for: ${request.socket.remoteAddress ?? ''}`, 'x-forwarded-proto: http');
  return `${lines.join('\r\n')}\r\n\r\n`;
}

import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { LogQuery } from './log/log-query.js';
import { readLog } from './log/log-query.js';
import { runBeside } from './pod/exec.js';
import type { AgentState } from './settings.js';
import type { PodSet } from './pod/pod-set.js';
import type { PodUsage } from './node/pod-usage.js';
import { createServer } from '../node-http.js';

/**
 * Parts of the agent's own server on a loopback port. Its client is the platform's plugin, which reads the token from the agent's record.
 */
export interface AgentServerOptions {
  readonly token: string;
  readonly pods: PodSet;
  readonly state: () => AgentState;
  readonly usage: () => Promise<readonly PodUsage[]>;
  /** `end` stops all pods first; `keep` leaves them running for the next agent. */
  readonly stop: (pods: 'end' | 'keep', graceMs: number) => void;
  /** Reloads the settings. */
  readonly readSettings: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** Larger than the default, since a command's arguments are in the request's path. */
const headerBytesMax = 64 * 1024;

/** Creates the server, which does not listen yet. */
export function agentServer(options: AgentServerOptions): Server {
  const expected = Buffer.from(`Bearer ${options.token}`);
  const server = createServer({ maxHeaderSize: headerBytesMax }, (request, response) => {
    const given = Buffer.from(request.headers.authorization ?? '');
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      return respond(response, 401, { error: 'a token is needed' });
    route(request, response, options).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else respond(response, 500, { error: error instanceof Error ? error.message : String(error) });
    });
  });
  server.maxConnections = 1000;
  // The request of a command lasts as long as the command reads its input.
  server.requestTimeout = 0;
  return server;
}

async function route(request: IncomingMessage, response: ServerResponse, options: AgentServerOptions): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://agent');
  const [what = '', uid = '', container = ''] = url.pathname.split('/').slice(1).map(decodeURIComponent);
  if (request.method === 'POST' && what === 'stop') {
    options.stop(url.searchParams.get('pods') === 'keep' ? 'keep' : 'end', Number(url.searchParams.get('graceMs') ?? 30_000));
    return respond(response, 202, { stopping: true });
  }
  if (request.method === 'POST' && what === 'settings') {
    await options.readSettings();
    return respond(response, 202, { read: true });
  }
  if (request.method === 'POST' && what === 'exec') return execute(uid, container, url.searchParams, request, response, options);
  if (request.method !== 'GET') return respond(response, 405, { error: `${request.method} is not answered here` });
  if (what === 'state') return respond(response, 200, options.state());
  if (what === 'usage') return respond(response, 200, { pods: await options.usage() });
  if (what === 'logs') return sendLog(uid, container, url.searchParams, response, options);
  return respond(response, 404, { error: `${url.pathname} is not answered here` });
}

/** Runs a command beside a running container. */
async function execute(
  uid: string,
  container: string,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
  { pods, signal }: AgentServerOptions,
): Promise<void> {
  const beside = pods.worker(uid)?.besideOf(container);
  if (!beside) return respond(response, 404, { error: 'the container does not run' });
  await runBeside(query.getAll('command'), beside, request, response, signal);
}

async function sendLog(
  uid: string,
  container: string,
  query: URLSearchParams,
  response: ServerResponse,
  options: AgentServerOptions,
): Promise<void> {
  const worker = options.pods.worker(uid);
  if (!worker) return respond(response, 404, { error: 'the pod is not on this node' });
  const isPrevious = query.get('previous') === 'true';
  const run = worker.runOf(container) - (isPrevious ? 1 : 0);
  if (run < 1)
    return respond(response, 400, {
      error: `container ${container} has ${isPrevious ? 'no run before the present one' : 'not started yet'}`,
    });
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  const lines = readLog(
    worker.logOf(container, run),
    logQuery(query),
    isPrevious ? undefined : worker.pumpOf(container),
    AbortSignal.any([closed.signal, options.signal]),
  );
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
  response.flushHeaders();
  Readable.from(lines)
    .on('error', () => response.destroy())
    .pipe(response);
}

function logQuery(query: URLSearchParams): LogQuery {
  const number = (name: string) => (query.has(name) ? Number(query.get(name)) : undefined);
  const stream = query.get('stream');
  const [tailLines, sinceMs, limitBytes] = [number('tailLines'), number('sinceMs'), number('limitBytes')];
  return {
    follow: query.get('follow') === 'true',
    timestamps: query.get('timestamps') === 'true',
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(stream === 'stdout' || stream === 'stderr' ? { stream } : {}),
  };
}

function respond(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

import { request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Caller } from '@tappaas/sdk';
import type { AuditedOutcome, AuditedRequest } from '../../dist/ports/audit.js';
import type { ApiServer } from '../../dist/api/api-server.js';
import { createApiServer } from '../../dist/api/server.js';
import type { ApiServerOptions } from '../../dist/api/server-options.js';
import { createFakeEngine, type FakeEngine } from './fake-engine.ts';

/** Time as it is: these tests talk to real sockets. */
export const realClock = { nowMs: () => Date.now(), sleep: (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }) };

const quiet = (): void => {};
export const quietLog = { debug: quiet, info: quiet, warn: quiet, error: quiet };

export const callers: Readonly<Record<string, Caller>> = {
  admin: { name: 'admin', groups: ['system:masters'] },
  viewer: { name: 'viewer', groups: [] },
};

export interface RunningServer {
  readonly engine: FakeEngine;
  readonly server: ApiServer;
  readonly port: number;
  readonly audited: (AuditedRequest & { readonly outcome?: AuditedOutcome })[];
  readonly ask: (path: string, options?: RequestOptions) => Promise<Answer>;
}

export interface RequestOptions {
  readonly method?: string;
  readonly as?: string | undefined;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Uint8Array | object;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly bytes: Buffer;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers freely
  readonly json: any;
}

/** A server on the fake engine, over plain http, until the test ends; the bearer token is the caller's name, and the viewer may only read. */
export async function startServer(
  t: { teardown(close: () => Promise<void>): void },
  options: Partial<ApiServerOptions> = {},
): Promise<RunningServer> {
  const engine = createFakeEngine();
  const audited: RunningServer['audited'] = [];
  const server = createApiServer({
    engines: () => new Map([['platform', engine]]),
    authenticate: ({ headers }) => {
      const caller = callers[(headers['authorization'] ?? '').replace('Bearer ', '')];
      return caller === undefined ? undefined : { caller, credentialId: caller.name };
    },
    authorize: ({ caller, verb }) =>
      caller.name === 'admin' || (caller.name === 'viewer' && ['get', 'list', 'watch'].includes(verb))
        ? { decision: 'allow', reason: '' }
        : { decision: 'no-opinion', reason: '' },
    flow: () => ({ release: quiet }),
    audit: (request) => ({ end: (outcome) => void audited.push({ ...request, outcome }) }),
    tableFor: (_, objects) => ({
      columnDefinitions: [{ name: 'Name', type: 'string', format: 'name', description: '', priority: 0 }],
      rows: objects.map((object) => [(object as { metadata: { name: string } }).metadata.name]),
    }),
    routes: () => [],
    actions: () => [],
    subresources: () => [],
    fields: () => [],
    host: '127.0.0.1',
    port: 0,
    log: quietLog,
    clock: realClock,
    random: () => 0.5,
    replica: 'test',
    version: '0.1.0',
    ready: () => [],
    metrics: () => '# no metrics\n',
    ...options,
  });
  const { port } = await server.listen();
  t.teardown(() => server.close());
  const ask = (path: string, each: RequestOptions = {}): Promise<Answer> => requestPort(port, path, each);
  return { engine, server, port, audited, ask };
}

export function requestPort(
  port: number,
  path: string,
  { method = 'GET', as = 'admin', headers = {}, body }: RequestOptions,
): Promise<Answer> {
  const isPlain = typeof body === 'string' || body instanceof Uint8Array;
  const bytes = body === undefined ? undefined : Buffer.from(isPlain ? body : JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        agent: false,
        headers: {
          ...(as !== '' && { authorization: `Bearer ${as}` }),
          ...(bytes !== undefined && { 'content-type': 'application/json', 'content-length': bytes.byteLength }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const all = Buffer.concat(chunks);
          const text = all.toString();
          const isJson = String(response.headers['content-type']).includes('json') && response.headers['content-encoding'] === undefined;
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            bytes: all,
            json: isJson && text !== '' ? JSON.parse(text) : undefined,
          });
        });
      },
    );
    request.on('error', reject);
    request.end(bytes);
  });
}

/** Lines of a watch as they come. */
export function openWatch(port: number, path: string, headers: Readonly<Record<string, string>> = {}): Promise<OpenWatch> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, path, agent: false, headers: { authorization: 'Bearer admin', ...headers } },
      (response) => {
        let rest = '';
        const lines: string[] = [];
        const waiting: (() => void)[] = [];
        const state = { ended: false };
        const wake = (): void => {
          for (const each of waiting.splice(0)) each();
        };
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          const parts = (rest + text).split('\n');
          rest = parts.pop() ?? '';
          lines.push(...parts);
          wake();
        });
        response.on('close', () => {
          state.ended = true;
          wake();
        });
        response.on('error', () => {});
        resolve({
          status: response.statusCode ?? 0,
          mediaType: response.headers['content-type'],
          close: () => request.destroy(),
          pause: () => void response.pause(),
          async next() {
            while (lines.length === 0 && !state.ended) await new Promise<void>((wakeUp) => void waiting.push(wakeUp));
            const line = lines.shift();
            return line === undefined ? undefined : JSON.parse(line);
          },
          async ended() {
            while (!state.ended) await new Promise<void>((wakeUp) => void waiting.push(wakeUp));
          },
        });
      },
    );
    request.on('error', reject);
    request.end();
  });
}

export interface OpenWatch {
  readonly status: number;
  readonly mediaType: string | undefined;
  close(): void;
  pause(): void;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into events freely
  next(): Promise<any>;
  ended(): Promise<void>;
}

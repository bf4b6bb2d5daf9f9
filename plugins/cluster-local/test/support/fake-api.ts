import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isTapError } from '@tappaas/sdk';
import type { FakeStore, StoreEvent } from './fake-store.ts';

/** Serves a fake store as a Kubernetes API; it can be stopped, change its token, and drop its history. */
export class FakeApi {
  readonly store: FakeStore;
  token = 'first';
  /** Watches from an earlier revision get a 410. */
  oldest = 0;
  requests: string[] = [];
  /** Overrides the response if it returns a status. */
  fault: ((request: IncomingMessage) => number | undefined) | undefined;
  #server: Closable | undefined;
  #port = 0;

  constructor(store: FakeStore) {
    this.store = store;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/clusters/local`;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        const status = isTapError(error) ? error.spec.httpStatus : 500;
        if (response.headersSent) response.destroy();
        else
          respond(response, status, {
            kind: 'Status',
            reason: isTapError(error) ? error.code : '',
            message: (error as Error).message,
            code: status,
          });
      });
    });
    // Reuses the port after a stop; an outgoing connection of another process may hold it for a moment.
    for (let tries = 0; !(await listens(server, this.#port)); tries += 1) {
      if (tries > 200) throw new Error(`port ${this.#port} stays taken`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Stops abruptly, as if killed. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://api');
    this.requests.push(`${request.method} ${url.pathname}${url.searchParams.has('watch') ? ' watch' : ''}`);
    const fault = this.fault?.(request);
    if (fault !== undefined) return respond(response, fault, { kind: 'Status', reason: 'Fault', message: 'a fault', code: fault });
    if (request.headers.authorization !== `Bearer ${this.token}`)
      return respond(response, 401, { kind: 'Status', reason: 'Unauthorized', message: 'token', code: 401 });
    const body = await readBody(request);
    const target = parse(url.pathname.replace('/clusters/local', ''));
    const served = target && this.store.servedByPlural(target.group, target.plural);
    if (!target || !served) return respond(response, 404, { kind: 'Status', reason: 'NotFound', message: url.pathname, code: 404 });
    const { kind } = served;
    const key = { namespace: target.namespace ?? '', name: target.name ?? '' };
    if (request.method === 'GET' && !target.name) {
      if (url.searchParams.get('watch') === 'true') return this.#watch(url, target.plural, response);
      const items = this.store.select(kind, target.namespace, undefined, url.searchParams.get('fieldSelector') ?? undefined);
      return respond(response, 200, {
        kind: `${kind.kind}List`,
        apiVersion: 'v1',
        metadata: { resourceVersion: String(this.store.revision) },
        items,
      });
    }
    if (request.method === 'GET') {
      const found = this.store.get(kind, key);
      return found
        ? respond(response, 200, found)
        : respond(response, 404, { kind: 'Status', reason: 'NotFound', message: key.name, code: 404 });
    }
    if (request.method === 'POST') {
      const input = body as { metadata: object };
      return respond(
        response,
        201,
        this.store.create(kind, {
          ...input,
          metadata: { ...input.metadata, ...(target.namespace ? { namespace: target.namespace } : {}) },
        }),
      );
    }
    if (request.method === 'PATCH') return respond(response, 200, this.store.patch(kind, key, body, target.subresource));
    const { gracePeriodSeconds, preconditions } = body as { gracePeriodSeconds?: number; preconditions?: { uid?: string } };
    this.store.delete(kind, key, {
      ...(preconditions?.uid === undefined ? {} : { uid: preconditions.uid }),
      ...(gracePeriodSeconds === undefined ? {} : { graceSeconds: gracePeriodSeconds }),
    });
    respond(response, 200, { kind: 'Status', status: 'Success' });
  }

  #watch(url: URL, plural: string, response: ServerResponse): void {
    const from = Number(url.searchParams.get('resourceVersion'));
    if (from < this.oldest) return respond(response, 410, { kind: 'Status', reason: 'Expired', message: 'too old', code: 410 });
    const [field, value] = (url.searchParams.get('fieldSelector') ?? '').split('=');
    const concerns = ({ object }: StoreEvent) =>
      !field || field.split('.').reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined)?.[name], object) === value;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const known = new Set<string>();
    const send = (event: StoreEvent) => {
      if (event.plural !== plural || !concerns(event)) return;
      const uid = event.object.metadata.uid ?? '';
      // An object that begins to match a selector is reported as added, as by a real server.
      const type = event.type === 'MODIFIED' && field && !known.has(uid) ? 'ADDED' : event.type;
      known.add(uid);
      response.write(`${JSON.stringify({ type, object: event.object })}\n`);
    };
    for (const event of this.store.history) if (event.revision > from) send(event);
    response.once('close', this.store.listen(send));
  }
}

function listens(server: ReturnType<typeof createServer>, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const onError = () => resolve(false);
    server.once('error', onError);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', onError);
      resolve(true);
    });
  });
}

interface Closable {
  closeAllConnections(): void;
  close(done: () => void): unknown;
}

interface Target {
  readonly group: string;
  readonly plural: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

function parse(path: string): Target | undefined {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const group = parts[0] === 'api' ? '' : parts[1];
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  if (group === undefined || rest.length === 0) return undefined;
  const inNamespace = rest[0] === 'namespaces' && rest.length > 2;
  const [plural = '', name, subresource] = inNamespace ? rest.slice(2) : rest;
  return {
    group,
    plural,
    ...(inNamespace ? { namespace: rest[1] ?? '' } : {}),
    ...(name ? { name } : {}),
    ...(subresource ? { subresource } : {}),
  };
}

async function readBody(request: IncomingMessage): Promise<object> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString()) as object);
}

function respond(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

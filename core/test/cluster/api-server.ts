import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Pod {
  apiVersion?: string;
  kind?: string;
  metadata: { name: string; namespace?: string; uid: string; resourceVersion: string; labels?: Record<string, string> };
  spec?: Record<string, unknown>;
}

export interface Seen {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Answers a request in the server's place; `false` lets the server answer. */
export type Fault = (request: Seen, response: ServerResponse) => boolean;

/** Faults by name, to be queued: each spoils one request. */
export const faults = {
  status:
    (code: number, headers: Record<string, string> = {}, body: unknown = { kind: 'Status', code, message: 'no' }): Fault =>
    (_, response) => {
      response
        .writeHead(code, { 'content-type': 'application/json', ...headers })
        .end(typeof body === 'string' ? body : JSON.stringify(body));
      return true;
    },
  reset: (_: Seen, response: ServerResponse) => {
    response.destroy();
    return true;
  },
  hang: () => true,
  cutInBody: (_: Seen, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"items":', () => response.destroy());
    return true;
  },
} as const;

interface Watcher {
  readonly response: ServerResponse;
  muted: boolean;
}

/** A small API server of pods with a history, that can be made to fail in every way a real one does. */
export class ApiServer {
  readonly seen: Seen[] = [];
  readonly faults: Fault[] = [];
  /** Applies to every request until taken away. */
  always: Fault | undefined;
  connections = 0;
  /** Expected Authorization header; others are answered 401. */
  authorization: string | undefined;
  private readonly server: Server;
  private readonly pods = new Map<string, Pod>();
  private readonly history: { type: string; object: Pod }[] = [];
  private readonly watchers = new Set<Watcher>();
  private revision = 100;
  private oldest = 0;
  private serial = 0;
  private readonly basePath: string;

  constructor(options: { tls?: ServerOptions; basePath?: string } = {}) {
    this.basePath = options.basePath ?? '';
    const listener: RequestListener = (request, response) => void this.serve(request, response);
    this.server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
    this.server.on(options.tls ? 'secureConnection' : 'connection', () => (this.connections += 1));
    this.server.keepAliveTimeout = 60_000;
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  put(name: string, extra: Partial<Pod> = {}): Pod {
    const known = this.pods.get(name);
    const uid = known?.metadata.uid ?? `uid-${(this.serial += 1)}`;
    const metadata = { ...extra.metadata, name, namespace: 'shop', uid, resourceVersion: String((this.revision += 1)) };
    const pod: Pod = { ...extra, metadata };
    this.pods.set(name, pod);
    this.tell(known ? 'MODIFIED' : 'ADDED', pod);
    return pod;
  }

  remove(name: string): void {
    const pod = this.pods.get(name);
    if (!pod) return;
    this.pods.delete(name);
    this.tell('DELETED', { ...pod, metadata: { ...pod.metadata, resourceVersion: String((this.revision += 1)) } });
  }

  get openWatches(): number {
    return this.watchers.size;
  }

  cutWatches(): void {
    for (const { response } of this.watchers) response.destroy();
  }

  /** Open watches stay open and are told nothing more, as when a middle box has forgotten the connection. */
  muteWatches(): void {
    for (const watcher of this.watchers) watcher.muted = true;
  }

  bookmark(): void {
    this.tellWatchers({ type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion: String(this.revision) } } });
  }

  /** A last word inside an open watch, as etcd's compaction gives it. */
  expireWatches(): void {
    this.tellWatchers({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' } });
    for (const { response } of this.watchers) response.end();
    this.watchers.clear();
  }

  compact(): void {
    this.oldest = this.revision;
  }

  private tell(type: string, object: Pod): void {
    this.history.push({ type, object });
    this.tellWatchers({ type, object });
  }

  private tellWatchers(event: unknown): void {
    for (const { response, muted } of this.watchers) if (!muted) response.write(`${JSON.stringify(event)}\n`);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const url = new URL(request.url ?? '/', 'http://cluster.test');
    const seen: Seen = { method: request.method ?? '', url, headers: request.headers, body };
    this.seen.push(seen);
    if (this.always?.(seen, response)) return;
    if (this.faults.shift()?.(seen, response)) return;
    if (this.authorization !== undefined && request.headers.authorization !== this.authorization) {
      this.answer(response, 401, { kind: 'Status', code: 401, reason: 'Unauthorized', message: 'who?' });
      return;
    }
    this.route(seen, url.pathname.slice(this.basePath.length), response);
  }

  private route(seen: Seen, path: string, response: ServerResponse): void {
    const pod = /^\/api\/v1\/namespaces\/shop\/pods\/([^/]+)(?:\/(\w+))?$/.exec(path);
    if (path === '/api/v1') this.answer(response, 200, { resources: discovered });
    else if (path === '/api/v1/pods' || path === '/api/v1/namespaces/shop/pods') this.collection(seen, response);
    else if (pod?.[2] === 'log') response.writeHead(200, { 'content-type': 'text/plain' }).end('one\ntwo\n');
    else if (pod?.[2] === 'binding') this.bind(pod[1] ?? '', seen, response);
    else if (pod) this.single(pod[1] ?? '', seen, response);
    else this.answer(response, 404, { kind: 'Status', code: 404, reason: 'NotFound', message: 'the path was not found' });
  }

  private collection(seen: Seen, response: ServerResponse): void {
    if (seen.method === 'POST') {
      const object = JSON.parse(seen.body) as Pod;
      const exists = this.pods.has(object.metadata.name);
      if (exists) this.answer(response, 409, { kind: 'Status', code: 409, reason: 'AlreadyExists', message: 'already exists' });
      else this.answer(response, 201, this.put(object.metadata.name, object));
    } else if (seen.url.searchParams.get('watch') === 'true') this.watch(seen, response);
    else this.list(seen, response);
  }

  private list({ url }: Seen, response: ServerResponse): void {
    const limit = Number(url.searchParams.get('limit') ?? '0');
    const [at, from] = (url.searchParams.get('continue') ?? `${this.revision}:0`).split(':').map(Number) as [number, number];
    if (at < this.oldest) {
      this.answer(response, 410, { kind: 'Status', code: 410, reason: 'Expired', message: 'the continue token is too old' });
      return;
    }
    const all = [...this.pods.values()];
    const end = limit === 0 ? all.length : from + limit;
    const rest = end < all.length ? { continue: `${at}:${end}` } : {};
    this.answer(response, 200, {
      apiVersion: 'v1',
      kind: 'PodList',
      metadata: { resourceVersion: String(at), ...rest },
      items: all.slice(from, end),
    });
  }

  private watch({ url }: Seen, response: ServerResponse): void {
    const from = Number(url.searchParams.get('resourceVersion') ?? '0');
    if (from < this.oldest) {
      this.answer(response, 410, { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' });
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const watcher = { response, muted: false };
    this.watchers.add(watcher);
    response.on('close', () => this.watchers.delete(watcher));
    for (const event of this.history) {
      if (Number(event.object.metadata.resourceVersion) > from) response.write(`${JSON.stringify(event)}\n`);
    }
  }

  private single(name: string, seen: Seen, response: ServerResponse): void {
    const known = this.pods.get(name);
    const isApply = seen.headers['content-type'] === 'application/apply-patch+yaml';
    if (!known && !isApply)
      this.answer(response, 404, { kind: 'Status', code: 404, reason: 'NotFound', message: `pods "${name}" not found` });
    else if (seen.method === 'GET') this.answer(response, 200, known);
    else if (seen.method === 'DELETE') this.destroy(known as Pod, seen, response);
    else this.write(name, known, seen, response);
  }

  private write(name: string, known: Pod | undefined, seen: Seen, response: ServerResponse): void {
    const object = JSON.parse(seen.body) as Partial<Pod>;
    const expected = object.metadata?.resourceVersion;
    if (known && expected !== undefined && expected !== known.metadata.resourceVersion) {
      this.answer(response, 409, { kind: 'Status', code: 409, reason: 'Conflict', message: 'the object has been modified' });
    } else this.answer(response, 200, this.put(name, { ...known, ...object }));
  }

  private destroy(known: Pod, seen: Seen, response: ServerResponse): void {
    const { preconditions } = JSON.parse(seen.body === '' ? '{}' : seen.body) as { preconditions?: { uid?: string } };
    if (preconditions?.uid !== undefined && preconditions.uid !== known.metadata.uid) {
      this.answer(response, 409, { kind: 'Status', code: 409, reason: 'Conflict', message: 'the UID in the precondition does not match' });
      return;
    }
    this.remove(known.metadata.name);
    this.answer(response, 200, { kind: 'Status', status: 'Success' });
  }

  private bind(name: string, seen: Seen, response: ServerResponse): void {
    const pod = this.pods.get(name);
    const { target } = JSON.parse(seen.body) as { target: { name: string } };
    if (pod?.spec?.['nodeName'] !== undefined) {
      this.answer(response, 409, { kind: 'Status', code: 409, reason: 'Conflict', message: 'pod is already assigned to a node' });
      return;
    }
    this.put(name, { ...pod, spec: { ...pod?.spec, nodeName: target.name } });
    this.answer(response, 201, { kind: 'Status', status: 'Success' });
  }

  private answer(response: ServerResponse, code: number, body: unknown): void {
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }
}

const discovered = [
  { name: 'pods', kind: 'Pod', namespaced: true },
  { name: 'pods/log', kind: 'Pod', namespaced: true },
  { name: 'nodes', kind: 'Node', namespaced: false },
];

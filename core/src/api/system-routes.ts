import { type Clock, platformEngine } from '@tappaas/sdk';
import { sendBytes, sendEmpty, sendJson, jsonType } from './answer/answer.js';
import type { ReadyCheck } from './contributions.js';
import { createDiscovery, type Discovery, type StoredDocument } from './openapi/discovery.js';
import type { EnginePort } from '../ports/engine.js';
import { apiErrors } from './errors.js';
import type { Exchange } from './request/exchange.js';
import { answerHealth } from './health.js';
import { createOpenApi, type OpenApi } from './openapi/openapi.js';
import { negotiate } from './request/media-type.js';
import { engineOf, unknownPath } from './objects/object-router.js';
import { answerPublished, publishedPaths, type PublishedKeys } from './published-keys.js';
import type { RouterRoute } from './router.js';

/** Reads the audit log back. */
export interface AuditReader {
  /** Events by query, newest first. */
  readonly search: (query: Readonly<Record<string, string>>) => Promise<object>;
  /** The chains that can be searched. */
  readonly chains: () => Promise<object>;
  /** The latest signed checkpoint, as the store has it. */
  readonly checkpoint: () => Promise<object>;
}

/** What requests that are not about objects are answered from. */
export interface SystemParts {
  readonly engines: () => ReadonlyMap<string, EnginePort>;
  readonly clock: Clock;
  readonly version: string;
  readonly ready: () => readonly ReadyCheck[];
  readonly publishedKeys?: () => PublishedKeys | undefined;
  readonly metrics: () => string | Promise<string>;
  readonly auditReader?: AuditReader;
  /** Host and port, as discovery tells it. */
  readonly address: () => string;
}

const openPaths = new Set(['/livez', '/healthz', '/readyz', ...publishedPaths]);

/** Liveness, readiness and public keys are asked for by programs that have no credentials. */
export function isOpenPath({ info }: Exchange): boolean {
  return info.engine === platformEngine && openPaths.has(info.path);
}

/** Routes of health, version, metrics and discovery. */
export function systemRoutes(parts: SystemParts): readonly RouterRoute[] {
  const alive: readonly ReadyCheck[] = [{ name: 'process', check: () => true }];
  const discoveries = perEngine((engine) => createDiscovery(engine, parts.address));
  const discoveryOf = (exchange: Exchange): Discovery => discoveries(engineOf(parts, exchange));
  const documents = perEngine((engine) => createOpenApi(engine, mountOf(engine.name), parts.version));
  const openApiOf = (exchange: Exchange): OpenApi => documents(engineOf(parts, exchange));
  const reading = (path: RouterRoute['path'], answer: RouterRoute['answer']): RouterRoute => ({
    path,
    answer: (exchange) => {
      engineOf(parts, exchange);
      refuseWrites(exchange);
      return answer(exchange);
    },
  });
  return [
    // The name that Kubernetes had before there were two is what many a probe asks by default.
    ...['/livez', '/healthz'].map((path) => reading(path, (exchange) => answerHealth(exchange, alive, parts.clock))),
    reading('/readyz', (exchange) => answerHealth(exchange, parts.ready(), parts.clock)),
    reading('/version', (exchange) => sendJson(exchange, 200, versionOf(parts.version))),
    ...publishedPaths.map((path) => reading(path, (exchange) => answerPublished(exchange, parts.publishedKeys))),
    reading('/metrics', (exchange) => answerMetrics(exchange, parts)),
    reading('/audit', (exchange) => answerAudit(exchange, parts, (reader) => reader.search(Object.fromEntries(exchange.query)))),
    reading('/audit/chains', (exchange) => answerAudit(exchange, parts, (reader) => reader.chains())),
    reading('/audit/checkpoint', (exchange) => answerAudit(exchange, parts, (reader) => reader.checkpoint())),
    reading(/^\/apis?$/, (exchange) => answerRoot(exchange, discoveryOf(exchange))),
    reading('/openapi/v3', (exchange) => sendDocument(exchange, openApiOf(exchange).index())),
    reading(/^\/openapi\/v3\/.+[^/]$/, (exchange) => {
      sendDocument(exchange, openApiOf(exchange).document(exchange.info.path.slice('/openapi/v3/'.length)));
    }),
    reading(/^\/apis?\/.+[^/]$/, (exchange) => sendDocument(exchange, discoveryOf(exchange).plain(exchange.info.path))),
  ];
}

/** They are the platform's: who may do everything on a further engine is not thereby shown them. */
async function answerMetrics(exchange: Exchange, { metrics }: SystemParts): Promise<void> {
  if (exchange.info.engine !== platformEngine) throw unknownPath(exchange);
  sendBytes(exchange, 200, 'text/plain; version=0.0.4; charset=utf-8', await metrics());
}

/** One log for all engines, so there is one place to ask; whoever may `get` the path `/audit` sees all of it. */
async function answerAudit(
  exchange: Exchange,
  { auditReader }: SystemParts,
  read: (reader: AuditReader) => Promise<object>,
): Promise<void> {
  if (exchange.info.engine !== platformEngine || auditReader === undefined) throw unknownPath(exchange);
  sendJson(exchange, 200, await read(auditReader));
}

function mountOf(engine: string): string {
  return engine === platformEngine ? '' : `/clusters/${engine}`;
}

/** One thing per engine, kept as long as the engine. */
function perEngine<T>(make: (engine: EnginePort) => T): (engine: EnginePort) => T {
  const made = new WeakMap<EnginePort, T>();
  return (engine) => {
    const known = made.get(engine) ?? make(engine);
    made.set(engine, known);
    return known;
  };
}

function refuseWrites(exchange: Exchange): void {
  const { method } = exchange.request;
  if (method === 'GET' || method === 'HEAD') return;
  exchange.extraHeaders.push('Allow', 'GET, HEAD');
  throw apiErrors.TAP_REQUEST_METHOD_NOT_ALLOWED({ message: `${method} is not served for ${exchange.info.path}` });
}

const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

function answerRoot(exchange: Exchange, discovery: Discovery): void {
  const root = exchange.info.path === '/api' ? '/api' : '/apis';
  const { as } = negotiate(exchange.request.headers.accept, ['APIGroupDiscoveryList']);
  if (as === undefined) sendDocument(exchange, discovery.plain(root));
  else sendDocument(exchange, discovery.aggregated(root), aggregatedType);
}

/** Documents are the same until a plugin changes, so clients that have them are told just that. */
function sendDocument(exchange: Exchange, document: StoredDocument | undefined, mediaType: string = jsonType): void {
  if (document === undefined) throw unknownPath(exchange);
  const headers = ['ETag', document.tag, 'Vary', 'Accept'];
  if (exchange.header('if-none-match') === document.tag) sendEmpty(exchange, 304, headers);
  else sendBytes(exchange, 200, mediaType, document.bytes, headers);
}

/** Kubernetes' level that clients compare themselves with, and what really runs. */
const kubernetesLevel = { major: '1', minor: '32' };

function versionOf(version: string): object {
  return {
    ...kubernetesLevel,
    gitVersion: `v${kubernetesLevel.major}.${kubernetesLevel.minor}.0+tappaas-${version}`,
    platform: 'tappaas',
    tappaasVersion: version,
  };
}

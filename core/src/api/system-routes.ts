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

/** Reads the audit log. */
export interface AuditReader {
  /** Events by query, newest first. */
  readonly search: (query: Readonly<Record<string, string>>) => Promise<object>;
  /** The chains that can be searched. */
  readonly chains: () => Promise<object>;
  /** The latest signed checkpoint, as it is stored. */
  readonly checkpoint: () => Promise<object>;
}

/** The sources of answers that are not about objects. */
export interface SystemParts {
  readonly engines: () => ReadonlyMap<string, EnginePort>;
  readonly clock: Clock;
  readonly version: string;
  readonly ready: () => readonly ReadyCheck[];
  readonly publishedKeys?: () => PublishedKeys | undefined;
  readonly metrics: () => string | Promise<string>;
  readonly auditReader?: AuditReader;
  /** Host and port, as discovery reports them. */
  readonly address: () => string;
}

const openPaths = new Set(['/livez', '/healthz', '/readyz', ...publishedPaths]);

/** Whether a path is public: programs that check health or fetch public keys have no credentials. */
export function isOpenPath({ info }: Exchange): boolean {
  return info.engine === platformEngine && openPaths.has(info.path);
}

/** Makes the routes of health, version, metrics, audit and discovery. */
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
    // Kubernetes' former name of /livez is still the default of many probes.
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

/** Answers the platform's metrics. Other engines have none, so full access to a further engine does not reveal the platform's. */
async function answerMetrics(exchange: Exchange, { metrics }: SystemParts): Promise<void> {
  if (exchange.info.engine !== platformEngine) throw unknownPath(exchange);
  sendBytes(exchange, 200, 'text/plain; version=0.0.4; charset=utf-8', await metrics());
}

/** Answers from the audit log, which is one for all engines; callers who may `get` the path `/audit` see all of it. */
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

/** Caches one value per engine, as long as the engine exists. */
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

/** Sends a document, or 304 if the client has the present one; documents change only with plugins. */
function sendDocument(exchange: Exchange, document: StoredDocument | undefined, mediaType: string = jsonType): void {
  if (document === undefined) throw unknownPath(exchange);
  const headers = ['ETag', document.tag, 'Vary', 'Accept'];
  if (exchange.header('if-none-match') === document.tag) sendEmpty(exchange, 304, headers);
  else sendBytes(exchange, 200, mediaType, document.bytes, headers);
}

/** The Kubernetes version that clients compare themselves with; the real version is in versionOf. */
const kubernetesLevel = { major: '1', minor: '32' };

function versionOf(version: string): object {
  return {
    ...kubernetesLevel,
    gitVersion: `v${kubernetesLevel.major}.${kubernetesLevel.minor}.0+tappaas-${version}`,
    platform: 'tappaas',
    tappaasVersion: version,
  };
}

import type { AccessRequest, Caller } from '@tappaas/sdk';
import { Application, Build, Release } from '@tappaas/sdk/kinds';
import type { ServedAction, ServedField } from '../../../dist/api/contributions.js';
import type { EnginePort } from '../../../dist/ports/engine.js';
import type { GraphqlSettings } from '../../../dist/api/graphql/ports.js';
import type { ApiServer } from '../../../dist/api/api-server.js';
import { createApiServer } from '../../../dist/api/server.js';
import type { ApiServerOptions } from '../../../dist/api/server-options.js';
import type { AuditedOutcome, AuditedRequest } from '../../../dist/ports/audit.js';
import { createResourceEngine, type ResourceEngine } from '../../../dist/resources/engine.js';
import type { KindRegistration } from '../../../dist/resources/kind-entry.js';
import { kernelKinds } from '../../../dist/resources/kinds/kernel-kinds.js';
import { createMemoryStore } from '../../../dist/store/memory-store.js';
import { openWatchCache } from '../../../dist/store/watch-cache.js';
import { requestPort, quietLog, realClock, type Answer, type RequestOptions } from '../running-server.ts';

export interface GraphqlServer {
  readonly engine: ResourceEngine;
  readonly server: ApiServer;
  readonly port: number;
  readonly audited: (AuditedRequest & { readonly outcome: AuditedOutcome })[];
  /** Calls of the engine by the API, as `list releases`. */
  readonly reads: string[];
  readonly logged: { readonly message: string; readonly fields: object | undefined }[];
  readonly ask: (query: string, variables?: object, options?: RequestOptions) => Promise<Answer>;
  readonly http: (path: string, options?: RequestOptions) => Promise<Answer>;
  readonly put: (kind: { group: string; version: string; plural: string; kind: string }, object: TestObject) => Promise<TestObject>;
  /** Serves other kinds from now on. */
  readonly serve: (kinds: readonly KindRegistration[]) => Promise<void>;
  readonly kinds: readonly KindRegistration[];
}

export interface TestObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

export interface GraphqlServerOptions extends Partial<ApiServerOptions> {
  readonly graphql?: GraphqlSettings;
  readonly actions?: () => readonly ServedAction[];
  readonly fields?: () => readonly ServedField[];
  readonly kinds?: readonly KindRegistration[];
}

export const kindPaths = {
  namespaces: { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' },
  configMaps: { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' },
  events: { group: '', version: 'v1', plural: 'events', kind: 'Event' },
  applications: { group: 'apps.tappaas.dev', version: 'v1alpha1', plural: 'applications', kind: 'Application' },
  releases: { group: 'apps.tappaas.dev', version: 'v1alpha1', plural: 'releases', kind: 'Release' },
  tenants: { group: 'platform.tappaas.dev', version: 'v1alpha1', plural: 'tenants', kind: 'Tenant' },
  operations: { group: 'ops.tappaas.dev', version: 'v1alpha1', plural: 'operations', kind: 'Operation' },
} as const;

/** Whether the caller `revocable` has its right at present. */
export const permission = { may: true };

/** Whom a bearer token stands for: its own text, with what these may. */
const people: Readonly<
  Record<string, Caller & { readonly may: (request: AccessRequest) => boolean; readonly expiresAtMs?: () => number }>
> = {
  admin: { name: 'admin', groups: ['system:masters'], may: () => true },
  team: { name: 'team', groups: ['team'], tenant: 'acme', may: ({ resource }) => resource?.namespace === 'team' },
  customer: {
    name: 'customer',
    groups: [],
    tenant: 'acme',
    may: ({ resource }) => resource?.plural === 'tenants' && resource.name === 'acme',
  },
  viewer: { name: 'viewer', groups: [], may: ({ verb, resource }) => resource !== undefined && ['get', 'list', 'watch'].includes(verb) },
  patcher: { name: 'patcher', groups: [], may: ({ verb, resource }) => resource !== undefined && ['get', 'patch'].includes(verb) },
  creator: { name: 'creator', groups: [], may: ({ verb, resource }) => resource !== undefined && verb === 'create' },
  brief: { name: 'brief', groups: [], may: () => true, expiresAtMs: () => Date.now() + 3_600_000 },
  revocable: { name: 'revocable', groups: [], may: () => permission.may },
  nobody: { name: 'nobody', groups: [], may: () => false },
};

/** The API with GraphQL on a real engine over the memory store, with namespaces `team` and `other`, until the test ends. */
export async function startGraphql(
  t: { teardown(close: () => Promise<void>): void },
  { kinds: further = [], ...options }: GraphqlServerOptions = {},
): Promise<GraphqlServer> {
  const store = createMemoryStore({ clock: realClock });
  const sealer = { seal: (plain: Uint8Array) => plain, open: (sealed: Uint8Array) => sealed };
  const own = [Application, Build, Release].map((kind) => ({ kind, plugin: 'kernel' }));
  const kinds: readonly KindRegistration[] = [...kernelKinds({} as never), ...own, ...further];
  const engine = createResourceEngine({ name: 'platform', store, openWatchCache, clock: realClock, random: Math.random, kinds, sealer });
  await engine.start(AbortSignal.timeout(60_000));
  const reads: string[] = [];
  const logged: GraphqlServer['logged'] = [];
  const audited: GraphqlServer['audited'] = [];
  const counting = counted(engine, reads);
  const tell = (message: string, fields?: object): void => void logged.push({ message, fields });
  const server = createApiServer({
    engines: () => new Map([['platform', counting]]),
    authenticate: ({ headers }) => {
      const caller = people[(headers['authorization'] ?? '').replace('Bearer ', '')];
      if (caller === undefined) return undefined;
      const { may: _, expiresAtMs: __, ...shown } = caller;
      return { caller: shown, credentialId: caller.name, ...(caller.expiresAtMs !== undefined && { expiresAtMs: caller.expiresAtMs() }) };
    },
    authorize: (request) => ({
      decision: request.path === '/graphql' || (people[request.caller.name]?.may(request) ?? false) ? 'allow' : 'no-opinion',
      reason: '',
    }),
    flow: () => ({ release: () => {} }),
    audit: (request) => ({ end: (outcome) => void audited.push({ ...request, outcome }) }),
    tableFor: () => ({ columnDefinitions: [], rows: [] }),
    routes: () => [],
    actions: () => [],
    subresources: () => [],
    fields: () => [],
    graphql: { introspection: true },
    host: '127.0.0.1',
    port: 0,
    log: { ...quietLog, error: tell },
    clock: realClock,
    random: Math.random,
    replica: 'test',
    version: '0.1.0',
    ready: () => [{ name: 'store', check: () => true }],
    metrics: () => '',
    ...options,
  });
  const { port } = await server.listen();
  t.teardown(async () => {
    await server.close();
    await engine.close();
    await store.close();
  });
  const put: GraphqlServer['put'] = async ({ kind, group, version, plural }, object) => {
    const { namespace } = object.metadata;
    const body = Buffer.from(JSON.stringify({ apiVersion: group === '' ? version : `${group}/${version}`, kind, ...object }));
    const target = { kind: { group, version, plural }, ...(namespace !== undefined && { namespace }) };
    const { served } = await engine.write({ verb: 'create', target, body, mediaType: 'json' }, writeAs);
    return served.object as TestObject;
  };
  for (const name of ['team', 'other']) await put(kindPaths.namespaces, { metadata: { name } });
  const http: GraphqlServer['http'] = (path, each) => requestPort(port, path, each ?? {});
  return {
    engine,
    server,
    port,
    audited,
    reads,
    logged,
    http,
    put,
    kinds,
    serve: (next) => engine.setKinds(next, AbortSignal.timeout(60_000)),
    ask: (query, variables, each = {}) => http('/graphql', { method: 'POST', body: { query, ...(variables && { variables }) }, ...each }),
  };
}

const writeAs = {
  caller: { name: 'test', groups: [] },
  requestId: 'test',
  signal: AbortSignal.timeout(600_000),
  dryRun: false,
  fieldValidation: 'Strict',
  fieldManager: 'test',
} as const;

function counted(engine: ResourceEngine, reads: string[]): EnginePort {
  return {
    name: engine.name,
    kinds: () => engine.kinds(),
    find: (path) => engine.find(path),
    get: (target, options) => {
      reads.push(`get ${target.kind.plural}`);
      return engine.get(target, options);
    },
    getMany: (kind, keys, options) => {
      reads.push(`get ${kind.plural}`);
      return engine.getMany(kind, keys, options);
    },
    list: (query) => {
      reads.push(`list ${query.target.kind.plural}`);
      return engine.list(query);
    },
    watch: (query) => engine.watch(query),
    write: (write, options) => engine.write(write, options),
  };
}

/** An application that fits its kind. */
export function application(name: string, extra: object = {}, namespace = 'team'): TestObject {
  return {
    metadata: { name, namespace, labels: { app: name } },
    spec: { source: { image: 'registry.example/shop@sha256:1' }, processes: [{ name: 'web' }], ...extra },
  };
}

/** A release of an application. */
export function release(of: TestObject, number: number): TestObject {
  const { name, namespace = '', uid = '' } = of.metadata;
  return {
    metadata: { name: `${name}-${number}`, namespace },
    spec: {
      of: { group: 'apps.tappaas.dev', kind: 'Application', name, uid },
      number,
      digest: `sha256:${String(number).padStart(64, '0')}`,
      cluster: 'local',
      generation: number,
      images: {},
      objects: [],
      plugins: {},
    },
  };
}

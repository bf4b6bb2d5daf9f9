import type { Credentials, Identity, ResourceStore } from '@tappaas/sdk';
import type { TlsMaterial } from '../../dist/api/certificates/certificates.js';
import { createApiServer } from '../../dist/api/server.js';
import type { ApiServerOptions } from '../../dist/api/server-options.js';
import type { Audit } from '../../dist/ports/audit.js';
import { createFlow } from '../../dist/flow/flow.js';
import { defaultFlowSettings, type FlowSettings } from '../../dist/flow/flow-settings.js';
import { ensureAdminToken } from '../../dist/identity/admin-token.js';
import type { StoredToken } from '../../dist/identity/stored-token.js';
import { createAuthenticatorChain } from '../../dist/identity/authenticator-chain.js';
import { CredentialCache } from '../../dist/identity/credential-cache.js';
import { createTokenAuthenticator } from '../../dist/identity/token-authenticator.js';
import { createIdentityReviews } from '../../dist/identity/identity-reviews.js';
import { createResourceEngine, type ResourceEngine } from '../../dist/resources/engine.js';
import { kernelKinds } from '../../dist/resources/kinds/kernel-kinds.js';
import { declaredColumns } from '../../dist/resources/table/table-column.js';
import { tableOf } from '../../dist/resources/table/table.js';
import { createMemoryStore } from '../../dist/store/memory-store.js';
import { openWatchCache } from '../../dist/store/watch-cache.js';
import { accessOf, reviewsOf } from '../access/access-of.ts';
import { quietLog, realClock } from './running-server.ts';

export interface RealServer {
  readonly url: string;
  readonly port: number;
  readonly token: string;
  readonly engine: ResourceEngine;
  readonly close: () => Promise<void>;
}

export interface RealServerOptions {
  readonly tls?: TlsMaterial;
  readonly flow?: Partial<FlowSettings>;
  readonly audit?: Audit;
  /** Whoever says `Bearer tenant-x` is of the tenant x and may do everything. */
  readonly tenants?: boolean;
  /** Of each kind's watch cache. */
  readonly historyEventsMax?: number;
  /** Otherwise one in memory. */
  readonly store?: ResourceStore;
  /** In place of what the server is given otherwise. */
  readonly api?: Partial<ApiServerOptions>;
}

const allowed = { decision: 'allow', reason: '' } as const;
const identities = new Map<string, Identity>();

/** The same tenant is the same object, as authenticators that remember answer. */
function tenantOf({ headers }: Credentials): Identity | undefined {
  const tenant = /^Bearer (tenant-[a-z]+)$/.exec(headers['authorization'] ?? '')?.[1];
  if (tenant === undefined) return undefined;
  const known = identities.get(tenant) ?? { caller: { name: tenant, groups: [], tenant }, credentialId: tenant };
  identities.set(tenant, known);
  return known;
}

/** The API as the platform assembles it, on the real engine over the memory store, with the kernel's kinds and one administrator. */
export async function startRealServer({
  tls,
  flow,
  audit,
  tenants = false,
  historyEventsMax = 10_000,
  store = createMemoryStore({ clock: realClock }),
  api = {},
}: RealServerOptions = {}): Promise<RealServer> {
  const kept: StoredToken[] = [];
  const record = {
    load: async () => kept[0],
    create: async (stored: StoredToken) => kept.push(stored) > 0,
    save: async (stored: StoredToken) => void kept.splice(0, 1, stored),
  };
  const holder = { keep: async () => {}, drop: async () => {} };
  const { token = '' } = await ensureAdminToken(record, holder, realClock);
  const authenticate = createAuthenticatorChain(
    [
      ...(tenants ? [{ name: 'tenants', authenticate: tenantOf }] : []),
      createTokenAuthenticator((id) => kept.find((each) => each.id === id), realClock),
    ],
    () => [],
    new CredentialCache(realClock),
  );
  const access = accessOf();
  const reviews = { ...reviewsOf(access), ...createIdentityReviews(authenticate, quietLog) };
  const sealer = { seal: (plain: Uint8Array) => plain, open: (sealed: Uint8Array) => sealed };
  const kinds = kernelKinds(reviews);
  const engine = createResourceEngine({
    name: 'platform',
    store,
    openWatchCache: (options) => openWatchCache({ ...options, historyEventsMax }),
    clock: realClock,
    random: Math.random,
    kinds,
    sealer,
  });
  await engine.start(AbortSignal.timeout(60_000));
  const engines = new Map([['platform', engine]]);
  const server = createApiServer({
    engines: () => engines,
    authenticate,
    authorize: tenants ? (request) => (request.caller.tenant === undefined ? access.authorize(request) : allowed) : access.authorize,
    flow: createFlow({ settings: { ...defaultFlowSettings, ...flow }, clock: realClock }),
    audit: audit ?? (() => ({ end: () => {} })),
    tableFor: ({ columns }, objects) => tableOf(declaredColumns(columns), objects, realClock.nowMs()),
    routes: () => [],
    actions: () => [],
    subresources: () => [],
    fields: () => [],
    ...(tls !== undefined && { tls }),
    host: '127.0.0.1',
    port: 0,
    log: quietLog,
    clock: realClock,
    random: Math.random,
    replica: 'test',
    version: '0.1.0',
    ready: () => [],
    metrics: () => '',
    ...api,
  });
  const { url, port } = await server.listen();
  await createNamespace(engine, 'default');
  return {
    url,
    port,
    token,
    engine,
    close: async () => {
      await server.close();
      await engine.close();
      await store.close();
    },
  };
}

async function createNamespace(engine: ResourceEngine, name: string): Promise<void> {
  const body = Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
  await engine.write(
    { verb: 'create', target: { kind: { group: '', version: 'v1', plural: 'namespaces' } }, body, mediaType: 'json' },
    {
      caller: { name: 'test', groups: [] },
      requestId: 'test',
      signal: AbortSignal.timeout(60_000),
      dryRun: false,
      fieldValidation: 'Strict',
      fieldManager: 'test',
    },
  );
}

/** A platform with every shipped plugin, two tenants, a running application and six users. */
import { join } from 'node:path';
import { createClient } from '@tappaas/client';
import { packSource } from '../../core/dist/cli/source-archive.js';
import type { Platform } from '../../core/dist/platform.js';
import { make, runPlatform } from '../attacks/running-platform.ts';
import { everyPlugin } from '../every-plugin.ts';
import { call, eventually, root, type ApiAnswer, type Connection } from '../platform-process.ts';
import type { Person } from './table.ts';

export const rbac = '/apis/rbac.authorization.k8s.io/v1';
const identity = '/apis/identity.tappaas.dev/v1alpha1';
const ours = '/apis/platform.tappaas.dev/v1alpha1';
const tenantHeader = 'impersonate-extra-tappaas.dev%2ftenant';
/** A name that nothing has. */
export const absent = 'not-there';

const headersOf: Readonly<Record<Person, Readonly<Record<string, string>>>> = {
  anonymous: { authorization: '' },
  'other-tenant': { 'impersonate-user': 'rita', [tenantHeader]: 'rival' },
  viewer: { 'impersonate-user': 'vera', [tenantHeader]: 'acme' },
  developer: { 'impersonate-user': 'dora', [tenantHeader]: 'acme' },
  'tenant-admin': { 'impersonate-user': 'tom', [tenantHeader]: 'acme' },
  'platform-admin': { 'impersonate-user': 'paula' },
};

/** Objects that the questions are about, where it matters that there is one; of what is not named, questions are about none. */
export const named: Readonly<Record<string, string>> = {
  '/namespaces': 'shop',
  '/events': 'of-hello',
  'apps.tappaas.dev/applications': 'hello',
  'platform.tappaas.dev/tenants': 'acme',
  'platform.tappaas.dev/quotas': 'acme',
  'platform.tappaas.dev/policies': 'shadow',
  'platform.tappaas.dev/plugins': 'roles',
  'identity.tappaas.dev/sessions': 'of-dora',
  'identity.tappaas.dev/apitokens': 'of-dora',
};

export interface AccessWorld {
  readonly platform: Platform;
  readonly connection: Connection;
  /** Headers of a request as a user; empty ones are not sent. */
  readonly headersFor: (person: Person) => Record<string, string>;
  readonly sendAs: (person: Person | 'administrator', method: string, path: string, body?: object, type?: string) => Promise<ApiAnswer>;
  stop(): Promise<void>;
}

export async function startAccessWorld(): Promise<AccessWorld> {
  const every = await everyPlugin();
  const running = await runPlatform(every.plugins, {
    api: { port: 0, strangersPerMinuteMax: 1_000_000, graphqlIntrospection: true },
  });
  const { platform, connection } = running;
  const world: AccessWorld = {
    platform,
    connection,
    headersFor(person) {
      const headers = { authorization: `Bearer ${connection.token}`, ...headersOf[person] };
      return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));
    },
    sendAs: (person, method, path, body, type) =>
      call(connection, method, path, body, type, person === 'administrator' ? {} : headersOf[person]),
    async stop() {
      await running.stop();
      await every.close();
    },
  };
  await populate(world).catch(async (error: unknown) => {
    await world.stop();
    throw error;
  });
  return world;
}

async function populate(world: AccessWorld): Promise<void> {
  const { connection, sendAs } = world;
  const ready = (person: Person, path: string): Promise<ApiAnswer> =>
    eventually(
      () => sendAs(person, 'GET', path),
      ({ status }) => status !== 403,
    );
  const namespace = (name: string, tenant: string) => ({ metadata: { name, labels: { 'tappaas.dev/tenant': tenant } } });
  const binding = (name: string, role: string, ...users: string[]) => ({
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: users.map((user) => ({ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' })),
  });
  await make(connection, '/api/v1/namespaces', namespace('shop', 'acme'));
  await make(connection, '/api/v1/namespaces', namespace('rival-shop', 'rival'));
  await make(connection, `${ours}/tenants`, { metadata: { name: 'acme' }, spec: {} });
  await make(connection, `${ours}/quotas`, {
    metadata: { name: 'acme' },
    spec: { of: { tenant: 'acme' }, limits: { applications: 1_000 } },
  });
  const cedar = 'forbid(principal, action, resource) when { principal.name == "nobody" };';
  await make(connection, `${ours}/policies`, { metadata: { name: 'shadow' }, spec: { cedar, mode: 'Shadow' } });
  const dora = { user: 'dora', tenant: 'acme' };
  const at = new Date(Date.now() + 3_600_000).toISOString();
  const cookie = { cookieId: '0'.repeat(12), sha256: '0'.repeat(64) };
  await make(connection, `${identity}/sessions`, {
    metadata: { name: 'of-dora' },
    spec: { issuer: 'corp', subject: 'dora', groups: [], ...dora, ...cookie, validUntil: at, expiresAt: at },
  });
  await make(connection, `${identity}/apitokens`, { metadata: { name: 'of-dora' }, spec: { ...dora } });
  await make(connection, `${rbac}/clusterrolebindings`, binding('tenant-admins', 'tenant-admin', 'tom', 'rita'));
  await make(connection, `${rbac}/clusterrolebindings`, binding('platform-admins', 'platform-admin', 'paula'));
  await make(connection, `${rbac}/namespaces/shop/rolebindings`, binding('viewers', 'viewer', 'vera'));
  await make(connection, `${rbac}/namespaces/shop/rolebindings`, binding('developers', 'developer', 'dora'));
  await ready('platform-admin', '/api/v1/nodes');
  await ready('tenant-admin', `${rbac}/namespaces/shop/roles`);
  await ready('developer', '/api/v1/namespaces/shop/secrets');
  await ready('viewer', '/api/v1/namespaces/shop/configmaps');
  await deploy(world);
}

const applications = '/apis/apps.tappaas.dev/v1alpha1/namespaces/shop/applications';

/** Builds and runs the example, so that everything that comes of a deployment is there. */
async function deploy({ connection, sendAs }: AccessWorld): Promise<void> {
  const { server, token, ca } = connection;
  const client = createClient({ server, token, certificateAuthority: ca.toString() });
  const { digest, bytes } = await packSource(join(root, 'examples/hello'));
  const path = `/plugins/builds/sources/${digest}?namespace=shop`;
  const sent = await client.send(path, { method: 'PUT', body: bytes, contentType: 'application/gzip' });
  await client.close();
  if (sent.status !== 201) throw new Error(`the source was not taken: ${sent.text}`);
  const made = await sendAs('administrator', 'POST', applications, {
    metadata: { name: 'hello' },
    spec: { source: { upload: { digest } }, processes: [{ name: 'web', ports: [{ name: 'http', port: 8080 }] }] },
  });
  if (made.status !== 201) throw new Error(`the application was not made: ${made.text}`);
  const { uid } = made.json<{ metadata: { uid: string } }>().metadata;
  const involvedObject = { apiVersion: 'apps.tappaas.dev/v1alpha1', kind: 'Application', namespace: 'shop', name: 'hello', uid };
  await make(connection, '/api/v1/namespaces/shop/events', { metadata: { name: 'of-hello' }, involvedObject });
  const isServed = (answer: ApiAnswer): boolean => {
    const { status } = answer.json<{ status?: { release?: string; operation?: string; build?: string } }>();
    return status?.release !== undefined && status.operation !== undefined && status.build !== undefined;
  };
  await eventually(() => sendAs('administrator', 'GET', `${applications}/hello`), isServed, 120_000);
}

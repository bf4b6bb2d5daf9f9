/** Two tenants on a platform of their own: acme, which has something, and rival, which tries to get at it. */
import test from 'ava';
import { call, eventually, type Connection } from '../platform-process.ts';
import { make, runPlatform, type RunningPlatform } from './running-platform.ts';

export const rbac = '/apis/rbac.authorization.k8s.io/v1';
export const merge = 'application/merge-patch+json';
export const shop = '/api/v1/namespaces/shop/configmaps';
export const rivalShop = '/api/v1/namespaces/rival-shop/configmaps';
/** The name of what acme has, and what is in it. */
export const kept = 'kept';
export const canary = 'canary-of-acme';

export type Person = 'tom' | 'dora' | 'vera' | 'rita' | 'paula' | 'tam' | 'olga';

export let running: RunningPlatform;
export let people: Record<Person, Connection>;
export let admin: Connection;
const undo: (() => Promise<void>)[] = [];

export const ask = (
  person: Person,
  method: string,
  path: string,
  body?: object,
  type?: string,
  headers?: Readonly<Record<string, string>>,
) => call(people[person], method, path, body, type, headers);

export const binding = (name: string, kind: string, role: string, ...users: string[]) => ({
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role },
  subjects: users.map((user) => ({ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' })),
});

test.before('two tenants are there: acme with tom, dora and vera, and rival with rita', async (t) => {
  t.timeout(180_000);
  running = await runPlatform({ local: null });
  undo.push(() => running.stop());
  admin = running.connection;
  const acme = { tenant: 'acme' };
  people = {
    tom: await running.as('tom', acme),
    dora: await running.as('dora', acme),
    vera: await running.as('vera', acme),
    rita: await running.as('rita', { tenant: 'rival' }),
    paula: await running.as('paula'),
    tam: await running.as('tam'),
    olga: await running.as('olga'),
  };
  for (const [name, tenant] of [
    ['shop', 'acme'],
    ['rival-shop', 'rival'],
  ] as const) {
    await make(admin, '/api/v1/namespaces', { metadata: { name, labels: { 'tappaas.dev/tenant': tenant } } });
  }
  for (const name of ['acme', 'rival']) await make(admin, '/apis/platform.tappaas.dev/v1alpha1/tenants', { metadata: { name }, spec: {} });
  await make(admin, `${rbac}/clusterrolebindings`, binding('tenant-admins', 'ClusterRole', 'tenant-admin', 'tom', 'rita', 'tam'));
  await make(admin, `${rbac}/clusterrolebindings`, binding('auditors', 'ClusterRole', 'auditor', 'olga'));
  await make(admin, `${rbac}/namespaces/shop/rolebindings`, binding('developers', 'ClusterRole', 'developer', 'dora'));
  await make(admin, `${rbac}/namespaces/shop/rolebindings`, binding('viewers', 'ClusterRole', 'viewer', 'vera'));
  for (let index = 0; index < 3; index += 1) await make(admin, shop, { metadata: { name: `${kept}-${index}` }, data: { canary } });
  await make(admin, '/api/v1/namespaces/shop/secrets', { metadata: { name: kept }, stringData: { password: canary } });
  await make(admin, rivalShop, { metadata: { name: 'own' } });
  for (const [person, path] of [
    ['tom', shop],
    ['dora', shop],
    ['vera', shop],
    ['rita', rivalShop],
  ] as const) {
    await eventually(
      () => ask(person, 'GET', path),
      ({ status }) => status === 200,
    );
  }
});

test.after.always('the platform is stopped', async () => {
  for (const stop of undo) await stop();
});

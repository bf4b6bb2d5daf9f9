/** An object is deleted with its owners: attempts of a user who may change an object but not delete it. */
import test, { type ExecutionContext } from 'ava';
import { call, eventually, storeOnly, type Connection } from '../platform-process.ts';
import { make, runPlatform, type RunningPlatform } from './running-platform.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const rbac = '/apis/rbac.authorization.k8s.io/v1';
const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'none', uid: '0' }];
const metadata = { ownerReferences };
const patches = [
  ['application/merge-patch+json', { metadata }],
  ['application/strategic-merge-patch+json', { metadata }],
  ['application/json-patch+json', [{ op: 'add', path: '/metadata/ownerReferences', value: ownerReferences }]],
] as const;

let running: RunningPlatform;
/** May change ConfigMaps, not delete them. */
let changer: Connection;
/** May do everything with ConfigMaps that no policy forbids. */
let owner: Connection;

const noDeletes = {
  apiVersion: 'platform.tappaas.dev/v1alpha1',
  kind: 'Policy',
  metadata: { name: 'no-deletes' },
  spec: {
    mode: 'Enforce',
    cedar:
      'forbid (principal, action == Action::"delete", resource is Object) when { resource.hasTag("env") && resource.getTag("env") == "prod" };',
  },
};

test.before('a platform with roles and a policy runs', async (t) => {
  t.timeout(120_000);
  running = await runPlatform({ ...storeOnly, policies: { use: '@tappaas/access-abac' } });
  const { connection } = running;
  changer = await running.as('changer');
  owner = await running.as('owner');
  const apiGroup = 'rbac.authorization.k8s.io';
  for (const [name, verbs] of [
    ['changer', ['get', 'create', 'update', 'patch']],
    ['owner', ['*']],
  ] as const) {
    await make(connection, `${rbac}/clusterroles`, { metadata: { name }, rules: [{ apiGroups: [''], resources: ['configmaps'], verbs }] });
    const [roleRef, subjects] = [{ apiGroup, kind: 'ClusterRole', name }, [{ apiGroup, kind: 'User', name }]];
    await make(connection, `${rbac}/clusterrolebindings`, { metadata: { name }, roleRef, subjects });
  }
  await make(connection, '/apis/platform.tappaas.dev/v1alpha1/policies', noDeletes);
  // One for each test: they run at once, and each changes its own.
  for (const name of ['of-roles', 'of-policies', 'of-scopes']) {
    const labels = name === 'of-policies' ? { env: 'prod' } : {};
    await make(connection, configMaps, { metadata: { name, labels }, data: { is: 'there' } });
  }
  for (const person of [changer, owner]) {
    await eventually(
      () => call(person, 'GET', `${configMaps}/of-roles`),
      ({ status }) => status === 200,
    );
  }
  await eventually(
    () => call(owner, 'DELETE', `${configMaps}/of-policies?dryRun=All`),
    ({ status }) => status === 403,
  );
});

test.after.always('the platform is stopped', () => running?.stop());

/** Every way to set an object's owners, as a user who may not delete it. */
async function attack(t: ExecutionContext, person: Connection, name: string, why: RegExp): Promise<void> {
  const path = `${configMaps}/${name}`;
  t.is((await call(person, 'DELETE', path)).status, 403);
  const stored = (await call(person, 'GET', path)).json<{ metadata: object }>();
  const answers = [
    await call(person, 'PUT', path, { ...stored, metadata: { ...stored.metadata, ...metadata } }),
    await call(
      person,
      'PATCH',
      `${path}?fieldManager=x&force=true`,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata } },
      'application/apply-patch+yaml',
    ),
  ];
  for (const [type, patch] of patches) answers.push(await call(person, 'PATCH', path, patch, type));
  for (const { status, text } of answers) {
    t.is(status, 403, text);
    t.regex(text, why);
    t.regex(text, /metadata\.ownerReferences/);
  }
  t.is((await call(person, 'PATCH', path, { data: { still: 'changed' } }, 'application/merge-patch+json')).status, 200);
  t.is((await call(running.connection, 'GET', path)).status, 200);
}

test('who may change an object and not delete it makes nobody else delete it', (t) =>
  attack(t, changer, 'of-roles', /cannot delete resource/));

test('a policy that forbids to delete an object holds for who gives it owners', (t) => attack(t, owner, 'of-policies', /no-deletes/));

test('a credential that is not good for delete gives no object owners', async (t) => {
  const tokens = '/apis/identity.tappaas.dev/v1alpha1/apitokens';
  await make(owner, tokens, { metadata: { name: 'narrow' }, spec: { scope: { verbs: ['get', 'update', 'patch'] } } });
  const { token } = (await call(owner, 'POST', `${tokens}/narrow/issue`, {})).json<{ token: string }>();
  await attack(t, { ...owner, token }, 'of-scopes', /the credential is good for/);
});

test('who may delete an object may give it owners, and it goes when they are not there', async (t) => {
  const path = `${configMaps}/given`;
  await make(owner, configMaps, { metadata: { name: 'given' } });
  t.is((await call(owner, 'PATCH', path, { metadata }, 'application/merge-patch+json')).status, 200);
  await eventually(
    () => call(owner, 'GET', path),
    ({ status }) => status === 404,
  );
});

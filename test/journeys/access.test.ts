/** Who may what, asked and set with a real kubectl and the command line, on the platform and on its cluster. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openSession, runsKubectl, type KubectlSession } from '../kubectl-session.ts';
import { eventually, platformHome, root, type PlatformHome } from '../platform-process.ts';

const session = runsKubectl ? test.serial : test.serial.skip;

let kubectl: KubectlSession;
let home: PlatformHome;
const started: (() => Promise<unknown>)[] = [];

test.before('a platform with an application and roles runs', async (t) => {
  t.timeout(180_000);
  if (!runsKubectl) return;
  home = await platformHome({ first: join(root, 'examples/hello'), plugins: { roles: { use: '@tappaas/access-rbac' } } });
  started.push(() => home.remove());
  const platform = await home.start();
  started.push(() => platform.stop());
  kubectl = openSession(join(home.directory, 'data/kubeconfig'), join(home.directory, 'kubectl-home'));
  await eventually(
    () => kubectl.run(['get', 'clusterrole', 'viewer', '-o', 'jsonpath={.rules[*].apiGroups}']),
    ({ stdout }) => stdout.includes('apps.tappaas.dev'),
  );
});

test.after.always('the platform is stopped and its directory removed', async () => {
  for (const stop of started.toReversed()) await stop();
});

async function ok(t: ExecutionContext, ...words: readonly string[]): Promise<string> {
  const ran = await kubectl.run(words);
  t.is(ran.code, 0, `kubectl ${words.join(' ')}\n${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}

/** The answer of `auth can-i`, which exits with 1 for no. */
const canI = async (...words: readonly string[]) => (await kubectl.run(['auth', 'can-i', ...words])).stdout.trim();

session('a role binding that kubectl creates counts within a second, and what it gives is listed', async (t) => {
  t.timeout(120_000);
  t.is(await canI('list', 'configmaps', '--as=dora'), 'no');
  await ok(t, 'create', 'rolebinding', 'developers', '--clusterrole=developer', '--user=dora');
  await eventually(
    () => canI('list', 'configmaps', '--as=dora'),
    (answer) => answer === 'yes',
  );
  const rules = await ok(t, 'auth', 'can-i', '--list', '--as=dora');
  t.regex(rules, /^applications\.apps\.tappaas\.dev\s+\[\]\s+\[\]\s+\[.*create.*\]/m);
  t.regex(rules, /^secrets\s+\[\]\s+\[\]\s+\[get list watch create update patch delete deletecollection\]/m);
  t.is(await canI('list', 'configmaps', '-n', 'kube-system', '--as=dora'), 'no');
  t.is(await canI('get', 'nodes', '--as=dora'), 'no');
});

session('auth reconcile adds what roles and bindings lack', async (t) => {
  t.timeout(120_000);
  await ok(t, 'create', 'role', 'reader', '--verb=get', '--resource=configmaps');
  const file = join(home.directory, 'roles.yaml');
  const role = (rules: object[]) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'reader', namespace: 'default' },
    rules,
  });
  writeFileSync(file, JSON.stringify(role([{ apiGroups: [''], resources: ['services'], verbs: ['list'] }])));
  t.regex(await ok(t, 'auth', 'reconcile', '-f', file), /role\.rbac\.authorization\.k8s\.io\/reader reconciled/);
  const rules = JSON.parse(await ok(t, 'get', 'role', 'reader', '-o', 'json')).rules;
  t.deepEqual(
    rules.map(({ resources }: { resources: string[] }) => resources[0]),
    ['configmaps', 'services'],
  );
});

session('the roles of a project govern the namespace that was made for it on a cluster, and nothing else there', async (t) => {
  t.timeout(120_000);
  await kubectl.run(['create', 'rolebinding', 'developers', '--clusterrole=developer', '--user=dora']);
  await eventually(
    () => canI('get', 'pods', '--subresource=log', '-n', 'tappaas-default', '--context', 'local', '--as=dora'),
    (answer) => answer === 'yes',
  );
  t.is(await canI('create', 'pods', '-n', 'tappaas-default', '--context', 'local', '--as=dora'), 'no');
  t.is(await canI('get', 'pods', '-n', 'kube-system', '--context', 'local', '--as=dora'), 'no');
  t.regex(await ok(t, 'get', 'pods', '-n', 'tappaas-default', '--context', 'local', '--as=dora'), /hello/);
  t.regex(await ok(t, 'auth', 'can-i', '--list', '--context', 'local', '-n', 'tappaas-default', '--as=dora'), /pods\/log/);
});

session('tappaas can and who-can say what, and why', async (t) => {
  t.timeout(120_000);
  await kubectl.run(['create', 'rolebinding', 'developers', '--clusterrole=developer', '--user=dora']);
  t.like(await home.tappaas('can', 'get', 'secrets'), { code: 0, stdout: 'yes - the caller is an administrator\n' });
  const elsewhere = await home.tappaas('can', 'get', 'pods');
  t.is(elsewhere.code, 64);
  t.regex(
    elsewhere.stderr,
    /nothing that is served is called "pods".*\n.*such as pods, is asked about with --cluster NAME, as in --cluster local/,
  );
  const unknown = await home.tappaas('can', 'get', 'secretz');
  t.is(unknown.code, 64);
  t.regex(unknown.stderr, /did you mean "secrets"\?/);
  const user = await eventually(
    () => home.tappaas('who-can', 'create', 'applications.apps.tappaas.dev'),
    ({ stdout }) => stdout.includes('dora'),
  );
  t.regex(user.stdout, /^User\s+dora\s+none\s+RoleBinding "default\/developers" of ClusterRole "developer"/m);
  t.regex(user.stdout, /^Group\s+system:masters\s+any\s+built-in rule/m);
  t.regex((await home.tappaas('who-can', 'get', 'pods/log', '-n', 'tappaas-default', '--cluster', 'local')).stdout, /dora/);
  t.regex((await home.tappaas('who-can', 'get', '/metrics')).stdout, /system:masters/);
  const source = '/plugins/builds/sources/sha256:0';
  t.is(await canI('put', source, '--as=dora'), 'yes', 'roles name the route, whatever its instance is called');
  t.is(await canI('delete', source, '--as=dora'), 'no', 'it is not served');
  t.is(await canI('put', '/plugins/other/sources/sha256:0', '--as=dora'), 'no');
  t.regex((await home.tappaas('who-can', 'put', source)).stdout, /^Group\s+system:authenticated\s/m);
});

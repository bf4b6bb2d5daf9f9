/** What a person does with a real kubectl, on the kernel's kinds, the platform's and the local cluster's. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { kubectlPath, openSession, runsKubectl, type KubectlSession, type Ran, type RunOptions } from './kubectl-session.ts';
import { platformHome, root } from './platform-process.ts';

const session = runsKubectl ? test.serial : test.serial.skip;
const commandsMin = 40;

let kubectl: KubectlSession;
let directory = '';
const started: (() => Promise<unknown>)[] = [];

test.before('a platform with an application runs', async (t) => {
  t.timeout(180_000);
  if (!runsKubectl) return;
  const home = await platformHome({ first: join(root, 'examples/hello') });
  started.push(() => home.remove());
  const platform = await home.start();
  started.push(() => platform.stop());
  directory = home.directory;
  kubectl = openSession(join(directory, 'data/kubeconfig'), join(directory, 'kubectl-home'));
});

test.after.always('the platform is stopped and its directory removed', async () => {
  for (const stop of started.toReversed()) await stop();
});

/** Runs words that shall succeed; answers what was printed. */
async function ok(t: ExecutionContext, command: string, options?: RunOptions): Promise<string> {
  const ran = await kubectl.run(split(command), options);
  t.is(ran.code, 0, `kubectl ${command}\n${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}

/** Runs words that shall be refused; answers everything that came of it. */
async function refused(t: ExecutionContext, command: string, options?: RunOptions): Promise<Ran> {
  const ran = await kubectl.run(split(command), options);
  t.not(ran.code, 0, `kubectl ${command} was not refused\n${ran.stdout}`);
  t.notRegex(ran.stderr, /\bat .+:\d+:\d+/);
  return ran;
}

/** Words as a shell would split them; single quotes hold together. */
function split(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

const configMap = (name: string, data: object, extra: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...extra },
  data,
});

function file(name: string, content: object): string {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

session('it finds out what is served, who it is and what it may', async (t) => {
  t.timeout(120_000);
  t.regex(await ok(t, 'version'), /Server Version: v1\.\d+/);
  const resources = await ok(t, 'api-resources');
  t.regex(resources, /^applications\s+app\s+apps\.tappaas\.dev\/v1alpha1\s+true\s+Application$/m);
  t.regex(resources, /^configmaps\s+cm\s+v1\s+true\s+ConfigMap$/m);
  t.regex(await ok(t, 'api-versions'), /^rbac\.authorization\.k8s\.io\/v1$/m);
  t.regex(await ok(t, 'get --raw /readyz?verbose'), /readyz check passed/);
  t.is(await ok(t, 'auth can-i create configmaps'), 'yes\n');
  t.regex(await ok(t, 'auth can-i --list'), /\*\.\*/);
  t.regex(await ok(t, 'auth whoami'), /Username\s+admin/);
  t.regex((await refused(t, 'auth can-i get secrets --as=joe')).stdout, /^no/);
  t.regex((await refused(t, 'get configmaps --as=joe')).stderr, /user "joe" cannot list resource "configmaps"/);
});

session('it explains the kinds of the kernel, the platform and the cluster', async (t) => {
  t.timeout(120_000);
  t.regex(await ok(t, 'explain configmap'), /KIND:\s+ConfigMap/);
  t.regex(await ok(t, 'explain configmap.data'), /map\[string\]string/);
  t.regex(await ok(t, 'explain application.spec.processes'), /name\s+<string> -required-/);
  t.regex(await ok(t, 'explain application --recursive'), /terminationSeconds/);
  t.regex(await ok(t, '--context local explain deployment.spec.template.spec.containers'), /imagePullPolicy/);
});

session('it creates objects from words, and reads them in every form', async (t) => {
  t.timeout(120_000);
  t.is(await ok(t, 'create namespace shop'), 'namespace/shop created\n');
  t.is(await ok(t, 'create configmap a --from-literal=x=1'), 'configmap/a created\n');
  t.regex((await refused(t, 'create configmap a')).stderr, /configmaps "a" already exists/);
  t.regex((await refused(t, 'get configmap nowhere')).stderr, /NotFound.*configmaps "nowhere" not found/);
  t.regex(await ok(t, 'get configmap a'), /^NAME\s+DATA\s+AGE\na\s+1\s+\d+s\n$/);
  t.regex(await ok(t, 'get configmap a -o yaml'), /^apiVersion: v1\ndata:\n {2}x: "1"\nkind: ConfigMap/);
  t.is(await ok(t, 'get configmap a -o jsonpath={.data.x}'), '1');
  t.is(await ok(t, 'get configmap a -o name'), 'configmap/a\n');
  t.regex(await ok(t, 'get ns -o wide'), /^default\s+Active/m);
  t.regex(await ok(t, 'get configmap a -o custom-columns=N:.metadata.name,X:.data.x'), /^N +X\na +1\n$/);
  t.is(await ok(t, 'create secret generic s --from-literal=p=hidden'), 'secret/s created\n');
  t.is(await ok(t, 'get secret s -o jsonpath={.data.p}'), Buffer.from('hidden').toString('base64'));
  await ok(t, 'create serviceaccount robot');
  await ok(t, 'create role reader --verb=get,list --resource=configmaps');
  await ok(t, 'create rolebinding reading --role=reader --serviceaccount=default:robot');
  t.regex(await ok(t, 'get rolebinding reading -o yaml'), /kind: ServiceAccount\n {2}name: robot/);
  t.regex(await ok(t, 'describe configmap a'), /x:\n----\n1/);
});

session('it applies, compares and applies again', async (t) => {
  t.timeout(120_000);
  const first = file('b.json', configMap('b', { x: '1' }));
  t.is(await ok(t, `apply -f ${first}`), 'configmap/b created\n');
  t.is(await ok(t, `apply -f ${first}`), 'configmap/b unchanged\n');
  const second = file('b2.json', configMap('b', { z: '2' }));
  const diff = await refused(t, `diff -f ${second}`);
  t.is(diff.code, 1);
  t.regex(diff.stdout, /^- {2}x: "1"\n\+ {2}z: "2"$/m);
  t.is(await ok(t, 'get configmap b -o jsonpath={.data.x}'), '1');
  t.is(await ok(t, `apply -f ${second}`), 'configmap/b configured\n');
  t.is(await ok(t, 'get configmap b -o jsonpath={.data}'), '{"z":"2"}');
  t.is(await ok(t, `diff -f ${second}`), '');
});

session('it applies on the server, is told whose field it is, and takes it over when it insists', async (t) => {
  t.timeout(120_000);
  const mine = configMap('c', { x: '1', y: '1' });
  t.is(await ok(t, 'apply --server-side --field-manager=one -f -', { input: mine }), 'configmap/c serverside-applied\n');
  const other = configMap('c', { x: '2' });
  const conflict = await refused(t, 'apply --server-side --field-manager=two -f -', { input: other });
  t.regex(conflict.stderr, /Apply failed with 1 conflict: conflict with "one": \.data\.x/);
  await ok(t, 'apply --server-side --force-conflicts --field-manager=two -f -', { input: other });
  t.is(await ok(t, 'get configmap c -o jsonpath={.data}'), '{"x":"2","y":"1"}');
  await ok(t, 'apply --server-side --field-manager=one -f -', { input: configMap('c', {}) });
  t.is(await ok(t, 'get configmap c -o jsonpath={.data}'), '{"x":"2"}');
  t.regex(await ok(t, 'get configmap c -o yaml --show-managed-fields'), /manager: two\n\s+operation: Apply/);
});

session('it edits, patches, labels, annotates and replaces', async (t) => {
  t.timeout(120_000);
  await ok(t, 'create configmap d --from-literal=x=old');
  t.is(await ok(t, 'edit configmap d', { env: { KUBE_EDITOR: 'sed -i s/old/new/' } }), 'configmap/d edited\n');
  t.is(await ok(t, 'get configmap d -o jsonpath={.data.x}'), 'new');
  t.is(await ok(t, `patch configmap d --type=merge -p '{"data":{"y":"1","x":null}}'`), 'configmap/d patched\n');
  await ok(t, `patch configmap d --type=json -p '[{"op":"replace","path":"/data/y","value":"2"}]'`);
  await ok(t, `patch configmap d --type=strategic -p '{"data":{"z":"3"}}'`);
  t.is(await ok(t, 'get configmap d -o jsonpath={.data}'), '{"y":"2","z":"3"}');
  t.regex((await refused(t, `patch configmap d --type=json -p '[{"op":"test","path":"/data/y","value":"9"}]'`)).stderr, /test/);
  t.is(await ok(t, 'label configmap d tier=web'), 'configmap/d labeled\n');
  t.is(await ok(t, 'get configmaps -l tier=web -o name'), 'configmap/d\n');
  await refused(t, 'label configmap d tier=db');
  await ok(t, 'label configmap d tier=db --overwrite');
  t.is(await ok(t, 'annotate configmap d note=read'), 'configmap/d annotated\n');
  await ok(t, 'label configmap d tier-');
  t.is(await ok(t, 'replace -f -', { input: configMap('d', { only: 'this' }) }), 'configmap/d replaced\n');
  t.is(await ok(t, 'get configmap d -o jsonpath={.data}'), '{"only":"this"}');
});

session('it tries without doing, and is told what is wrong with its files', async (t) => {
  t.timeout(120_000);
  t.is(await ok(t, 'create configmap e --from-literal=x=1 --dry-run=server'), 'configmap/e created (server dry run)\n');
  await ok(t, 'apply --server-side --dry-run=server -f -', { input: configMap('e', {}) });
  await refused(t, 'get configmap e');
  const unknown = { ...configMap('e', {}), surprise: 1 };
  t.regex((await refused(t, 'create --validate=strict -f -', { input: unknown })).stderr, /unknown field "surprise"/);
  const warned = await kubectl.run(['create', '--validate=warn', '-f', '-'], { input: unknown });
  t.is(warned.code, 0, warned.stderr);
  t.regex(warned.stderr, /Warning: unknown field "surprise"/);
  t.regex((await refused(t, 'create -f -', { input: configMap('Not A Name', {}) })).stderr, /metadata\.name: Invalid value/);
  t.regex((await refused(t, 'create -f -', { input: { ...configMap('f', {}), data: { x: 1 } } })).stderr, /data\.x|ConfigMap/);
});

session('it lists in pages and watches what happens', async (t) => {
  t.timeout(120_000);
  for (const name of ['p1', 'p2', 'p3']) await ok(t, `create configmap ${name} -n shop`);
  t.is(await ok(t, 'get configmaps -n shop --chunk-size=1 -o name'), 'configmap/p1\nconfigmap/p2\nconfigmap/p3\n');
  const watch = kubectl.start(split('get configmaps -n shop -w'));
  await watch.shows(/^p3\s/m);
  await ok(t, 'create configmap p4 -n shop');
  await watch.shows(/^p4\s+0\s/m);
  await ok(t, `patch configmap p4 -n shop --type=merge -p '{"data":{"x":"1"}}'`);
  await watch.shows(/^p4\s+1\s/m);
  await watch.stop();
  t.is(await ok(t, 'delete configmap p4 -n shop'), 'configmap "p4" deleted\n');
  await ok(t, 'wait --for=delete configmap/p4 -n shop --timeout=10s');
  await ok(t, `wait --for=jsonpath={.status.phase}=Active namespace/shop --timeout=10s`);
  t.is(
    await ok(t, 'create -f - -o name', { input: { ...configMap('x', {}), metadata: { generateName: 'made-' } } }).then((name) =>
      name.slice(0, 15),
    ),
    'configmap/made-',
  );
});

session('it deletes with each cascade', async (t) => {
  t.timeout(180_000);
  for (const cascade of ['background', 'foreground', 'orphan']) {
    await ok(t, `create configmap owner-${cascade}`);
    const uid = await ok(t, `get configmap owner-${cascade} -o jsonpath={.metadata.uid}`);
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: `owner-${cascade}`, uid, blockOwnerDeletion: true }];
    await ok(t, 'create -f -', { input: configMap(`owned-${cascade}`, {}, { ownerReferences }) });
    await ok(t, `delete configmap owner-${cascade} --cascade=${cascade} --timeout=30s`);
    await refused(t, `get configmap owner-${cascade}`);
    if (cascade === 'background') await ok(t, 'wait --for=delete configmap/owned-background --timeout=30s');
    if (cascade === 'foreground') await refused(t, 'get configmap owned-foreground');
    if (cascade === 'orphan') t.is(await ok(t, 'get configmap owned-orphan -o jsonpath={.metadata.ownerReferences}'), '');
  }
  await ok(t, 'delete configmaps --all -n shop');
  t.is(await ok(t, 'get configmaps -n shop -o name'), '');
  await ok(t, 'delete namespace shop --timeout=30s');
  await refused(t, 'get namespace shop');
});

session("the platform's kinds are like any other", async (t) => {
  t.timeout(120_000);
  t.regex(await ok(t, 'get applications -o wide'), /^hello\s+True\s+hello-1\s+http:\/\/hello\.default\.localhost:\d+\s+Serving\s+local/m);
  t.is(await ok(t, 'get app hello -o jsonpath={.spec.runtime}'), 'standard');
  t.regex(await ok(t, 'describe application hello'), /Kind:\s+Application/);
  await ok(t, 'wait --for=condition=Ready application/hello --timeout=30s');
  t.regex((await refused(t, `patch application hello -p '{"spec":{}}'`)).stderr, /application\/merge-patch\+json/);
  t.regex((await refused(t, `patch application hello --type=merge -p '{"spec":{"replicas":3}}'`)).stderr, /replicas/);
  await ok(t, `patch application hello --type=merge --dry-run=server -p '{"spec":{"runtime":"standard"}}'`);
  t.regex(await ok(t, 'get operations,releases,builds'), /release\.apps\.tappaas\.dev\/hello-1/);
  const bad = { apiVersion: 'apps.tappaas.dev/v1alpha1', kind: 'Application', metadata: { name: 'bad' }, spec: { procesess: [] } };
  t.regex((await refused(t, 'apply -f -', { input: bad })).stderr, /procesess/);
});

session("the local cluster's kinds are those of a cluster", async (t) => {
  t.timeout(240_000);
  const local = '--context local';
  t.regex(await ok(t, `${local} api-resources`), /^deployments\s+deploy\s+apps\/v1\s+true\s+Deployment$/m);
  t.regex(await ok(t, `${local} get deploy,rs,pods -n tappaas-default`), /deployment\.apps\/hello-web\s+2\/2/);
  t.regex(await ok(t, `${local} get nodes`), /local-1\s+Ready/);
  t.regex(await ok(t, `${local} logs deploy/hello-web -n tappaas-default --tail=1`), /listening/);
  const exec = `${local} exec -n tappaas-default deploy/hello-web`;
  t.regex(await ok(t, `${exec} -- env`), /^PORT=\d+$/m);
  t.is(await ok(t, `${exec} -i -- cat`, { input: 'over standard input\n' }), 'over standard input\n');
  const ended = await refused(t, `${exec} -- sh -c 'echo out; echo err >&2; exit 7'`);
  t.deepEqual([ended.code, ended.stdout], [7, 'out\n']);
  t.regex(ended.stderr, /^err$/m);
  t.regex((await refused(t, `${exec} -- no-such-program`)).stderr, /not found/);
  t.regex((await refused(t, `${exec} --as=joe -- env`)).stderr, /cannot create resource "pods\/exec"|cannot impersonate|cannot get/);
  const ticking = ['/bin/sh', '-c', 'while :; do echo tick; sleep 0.1; done'];
  const ticker = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'ticker' },
    spec: { containers: [{ name: 'main', image: 'process', command: ticking }] },
  };
  await ok(t, `${local} apply -f -`, { input: ticker });
  await ok(t, `${local} wait --for=condition=Ready pod/ticker --timeout=60s`);
  t.regex((await refused(t, `${local} attach ticker -i`)).stderr, /neither a standard input nor a terminal/);
  const attached = kubectl.start([...local.split(' '), 'attach', 'ticker']);
  await attached.shows(/tick\ntick\n/);
  await attached.stop();
  const forwarded = await refused(t, `${local} port-forward -n tappaas-default deploy/hello-web :http`);
  const [, address = ''] = /web\/\d+\/TCP at (127\.0\.0\.1:\d+)/.exec(forwarded.stderr) ?? [];
  t.is((await fetch(`http://${address}/`)).status, 200, forwarded.stderr);
  t.regex((await refused(t, `${local} port-forward ticker 80`)).stderr, /does not have a named port|has no port|no port/);
  await ok(t, `${local} delete pod ticker --now`);
  const image = await ok(t, `${local} get deploy hello-web -n tappaas-default -o jsonpath={.spec.template.spec.containers[0].image}`);
  const command = await ok(t, `${local} get deploy hello-web -n tappaas-default -o jsonpath={.spec.template.spec.containers[0].command}`);
  t.is(await ok(t, `${local} create deployment own --image=${image} --port=80`), 'deployment.apps/own created\n');
  await ok(t, `${local} wait --for=condition=Available deploy/own --timeout=60s`);
  t.is(await ok(t, `${local} scale deploy own --replicas=2`), 'deployment.apps/own scaled\n');
  t.regex(await ok(t, `${local} rollout status deploy/own --timeout=60s`), /successfully rolled out/);
  t.is((await ok(t, `${local} get pods -l app=own -o name`)).trim().split('\n').length, 2, command);
  t.is(await ok(t, `${local} scale deploy own --replicas=1 --current-replicas=2`), 'deployment.apps/own scaled\n');
  await ok(t, `${local} set env deploy/own A=b`);
  await ok(t, `${local} rollout status deploy/own --timeout=60s`);
  t.regex(await ok(t, `${local} rollout history deploy/own`), /^2\s/m);
  t.regex(await ok(t, `${local} rollout undo deploy/own`), /rolled back/);
  await ok(t, `${local} delete deploy own --cascade=foreground --timeout=60s`);
  t.is(await ok(t, `${local} get rs,pods -l app=own -o name`), '');
});

session('the session was long enough to mean something', (t) => {
  t.true(kubectl.commands.length >= commandsMin, `${kubectl.commands.length} commands`);
  t.log(`${kubectl.commands.length} commands of ${kubectlPath()}`);
});

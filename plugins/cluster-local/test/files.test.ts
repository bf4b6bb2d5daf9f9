import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { ConfigMaps, Pods, Secrets, Services } from '../dist/kinds/handles.js';
import { writeImage, type Entry } from './support/image-builder.ts';
import { LocalCluster, until } from './support/local-cluster.ts';
import { pod, service } from './support/manifests.ts';
import { hostPort, isReady, logOf, read, state, untilPod } from './support/pods.ts';

let cluster: LocalCluster;
let layout: string;
test.before(async () => {
  cluster = await LocalCluster.make();
  layout = join(cluster.directory, 'images');
  await cluster.start();
});
test.after.always(() => cluster.end());

const create = (name: string, spec: object) => void cluster.store.create(Pods, pod(name, { restartPolicy: 'Never', ...spec }));
const secret = (name: string, data: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default' },
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
});
const configMap = (name: string, data: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});
const shell = (script: string, more: object = {}) => ({ name: 'main', image: 'process', command: ['/bin/sh', '-c', script], ...more });
const done = (name: string) => untilPod(cluster, name, 'done', ({ status }) => status?.phase === 'Succeeded');
const waiting = (name: string, reason: string) =>
  untilPod(cluster, name, `waits with ${reason}`, (found) => state(found, 'main')?.state?.waiting?.reason === reason);

test('an image of the layout runs with its command, directory and variables, and may write to its files', async (t) => {
  const app: Entry[] = [
    { name: 'app/', type: 'directory', mode: 0o755 },
    {
      name: 'app/server.js',
      content: `require('fs').writeFileSync('written', 'yes'); console.log(process.env.COLOUR, process.argv[2], require('fs').readdirSync('.').join())`,
    },
  ];
  for (const compression of ['none', 'gzip', 'zstd'] as const) {
    const digest = await writeImage(
      layout,
      [app],
      { Entrypoint: ['node', 'server.js'], Cmd: ['argument'], WorkingDir: '/app', Env: ['COLOUR=blue'] },
      compression,
    );
    const name = `image-${compression}`;
    create(name, { containers: [{ name: 'main', image: `default/app@${digest}` }] });
    const found = await done(name);
    t.is(await logOf(cluster, found, 'main'), 'blue argument server.js,written\n');
    t.is(state(found, 'main')?.imageID, digest);
    const cached = join(cluster.directory, 'agent', 'images', digest.replace(':', '-'), 'root', 'app');
    t.true(existsSync(join(cached, 'server.js')));
    t.false(existsSync(join(cached, 'written')), 'a pod must not change the image');
  }
});

test('higher layers replace, remove and hide what lower ones brought', async (t) => {
  const digest = await writeImage(
    layout,
    [
      [
        { name: 'app/a', content: 'low' },
        { name: 'app/b', content: 'low' },
        { name: 'app/dir/one', content: '1' },
        { name: 'app/dir/two', content: '2' },
        { name: 'app/l', type: 'symlink', target: '/app/a' },
      ],
      [
        { name: 'app/a', content: 'high' },
        { name: 'app/.wh.b' },
        { name: 'app/dir/three', content: '3' },
        { name: 'app/dir/.wh..wh..opq' },
        { name: 'app/hard', type: 'hardlink', target: 'app/a' },
      ],
    ],
    { Cmd: ['/bin/sh', '-c', 'find . -type f | sort; cat l hard'], WorkingDir: '/app' },
  );
  create('layers', { containers: [{ name: 'main', image: digest }] });
  t.is(await logOf(cluster, await done('layers'), 'main'), './a\n./dir/three\n./hard\nhighhigh\n');
});

const attacks: Readonly<Record<string, readonly Entry[]>> = {
  'a path with dots': [{ name: 'app/../../evil', content: 'x' }],
  'an absolute symbolic link as a folder': [
    { name: 'app/out', type: 'symlink', target: '../../../../../../../../tmp' },
    { name: 'app/out/evil', content: 'x' },
  ],
  'a file through a link inside the image': [
    { name: 'app/in', type: 'symlink', target: 'real' },
    { name: 'app/real/', type: 'directory' },
    { name: 'app/in/evil', content: 'x' },
  ],
  'a hard link to the outside': [{ name: 'app/hard', type: 'hardlink', target: '../../../../../../etc/passwd' }],
  'a hard link through a symbolic link': [
    { name: 'app/link', type: 'symlink', target: '/etc' },
    { name: 'app/hard', type: 'hardlink', target: 'app/link/passwd' },
  ],
};

for (const [title, entries] of Object.entries(attacks)) {
  test(`an image with ${title} is refused as a whole`, async (t) => {
    const digest = await writeImage(layout, [entries], { Cmd: ['true'], WorkingDir: '/app' });
    const name = `evil-${title.replaceAll(' ', '-')}`;
    create(name, { containers: [{ name: 'main', image: digest }] });
    await waiting(name, 'ImageRefused');
    t.false(existsSync(join(cluster.directory, 'evil')));
    t.false(existsSync('/tmp/evil'));
    t.false(existsSync(join(cluster.directory, 'agent', 'images', digest.replace(':', '-'))));
  });
}

test('a damaged blob is not run', async (t) => {
  const digest = await writeImage(layout, [[{ name: 'app/x', content: 'fine' }]], { Cmd: ['true'], WorkingDir: '/app' });
  const manifest = JSON.parse(await readFile(join(layout, 'blobs', 'sha256', digest.slice(7)), 'utf8')) as { layers: { digest: string }[] };
  const layer = join(layout, 'blobs', 'sha256', (manifest.layers[0]?.digest ?? '').slice(7));
  const bytes = await readFile(layer);
  bytes[520] = 33;
  await writeFile(layer, bytes);
  create('damaged', { containers: [{ name: 'main', image: digest }] });
  const found = await waiting('damaged', 'ImageUnusable');
  t.regex(state(found, 'main')?.state?.waiting?.message ?? '', /is damaged: its digest is/);
});

test('an image with an operating system needs a container runtime, and the reason says so', async (t) => {
  const digest = await writeImage(layout, [[{ name: 'etc/os-release', content: 'ID=debian' }]], { Cmd: ['true'] });
  create('debian', { containers: [{ name: 'main', image: digest }] });
  const found = await waiting('debian', 'ImageNeedsContainerRuntime');
  t.regex(state(found, 'main')?.state?.waiting?.message ?? '', /brings an operating system of its own \(etc\/os-release\)/);
});

test('environment comes from values, fields, config maps and secrets, in their order', async (t) => {
  cluster.store.create(ConfigMaps, configMap('settings', { LEVEL: 'info', greeting: 'hello' }));
  cluster.store.create(Secrets, secret('credentials', { password: 'p=ss word' }));
  create('environment', {
    containers: [
      shell('echo "$LEVEL|$X_password|$GREETING $WHO|$NAME|$POD|$MEMORY|$OPTIONAL|$LITERAL"', {
        resources: { limits: { memory: '64Mi' } },
        envFrom: [{ configMapRef: { name: 'settings' } }, { prefix: 'X_', secretRef: { name: 'credentials' } }],
        env: [
          { name: 'WHO', value: 'world' },
          { name: 'GREETING', valueFrom: { configMapKeyRef: { name: 'settings', key: 'greeting' } } },
          { name: 'NAME', value: '$(WHO)-$(NOBODY)' },
          { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
          { name: 'OPTIONAL', valueFrom: { secretKeyRef: { name: 'absent', key: 'x', optional: true } } },
          { name: 'LITERAL', value: '$$(WHO)' },
        ],
      }),
    ],
  });
  t.is(await logOf(cluster, await done('environment'), 'main'), 'info|p=ss word|hello world|world-$(NOBODY)|environment|64||$(WHO)\n');
});

test('the environment of the platform is not passed on', async (t) => {
  create('clean', { containers: [{ name: 'main', image: 'process', command: ['env'] }] });
  const names = (await logOf(cluster, await done('clean'), 'main'))
    .trim()
    .split('\n')
    .map((line) => line.split('=')[0]);
  t.deepEqual(
    names.filter(
      (name) =>
        !['PATH', 'LANG', 'TZ', 'HOME', 'TMPDIR', 'PWD', 'TAPPAAS_CONTAINER', '_', 'OLDPWD', 'SHLVL'].includes(name ?? '') &&
        !/_SERVICE_/.test(name ?? ''),
    ),
    [],
  );
});

test('a container waits for a config map that is not there yet', async (t) => {
  create('patient', {
    containers: [shell('echo "$LATE"', { env: [{ name: 'LATE', valueFrom: { configMapKeyRef: { name: 'late', key: 'k' } } }] })],
  });
  const found = await waiting('patient', 'CreateContainerConfigError');
  t.is(state(found, 'main')?.state?.waiting?.message, 'key "k" of config map "late" does not exist');
  cluster.store.create(ConfigMaps, configMap('late', { k: 'came' }));
  t.is(await logOf(cluster, await done('patient'), 'main'), 'came\n');
});

test('config maps, secrets and empty directories are seen at absolute paths, and the host is not changed', async (t) => {
  cluster.store.create(ConfigMaps, configMap('files', { 'a.conf': 'A', 'b.conf': 'B' }));
  cluster.store.create(Secrets, secret('keys', { key: 'K' }));
  create('mounts', {
    volumes: [
      { name: 'config', configMap: { name: 'files' } },
      { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400, items: [{ key: 'key', path: 'deep/er/key' }] } },
      { name: 'scratch', emptyDir: {} },
      { name: 'about', downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
    ],
    containers: [
      shell(
        'cat /etc/tappaas-test/a.conf /srv-tappaas/nested/deep/er/key /about/name; ls /etc/tappaas-test; echo x > /scratch/file; cat /scratch/file; cat /etc/one; test -e /etc/passwd && test -d /proc/self && echo host',
        {
          volumeMounts: [
            { name: 'config', mountPath: '/etc/tappaas-test' },
            { name: 'config', mountPath: '/etc/one', subPath: 'b.conf' },
            { name: 'keys', mountPath: '/srv-tappaas/nested' },
            { name: 'scratch', mountPath: '/scratch' },
            { name: 'about', mountPath: '/about' },
          ],
        },
      ),
    ],
  });
  t.is(await logOf(cluster, await done('mounts'), 'main'), 'AKmountsa.conf\nb.conf\nx\nBhost\n');
  for (const path of ['/etc/tappaas-test', '/srv-tappaas', '/scratch', '/about', '/etc/one']) t.false(existsSync(path), path);
});

test('mounts below the working directory of an image are seen by relative and absolute paths', async (t) => {
  cluster.store.create(ConfigMaps, configMap('inner', { 'x.conf': 'inside' }));
  const digest = await writeImage(layout, [[{ name: 'app/run.sh', content: 'cat config/x.conf /app/config/x.conf; ls /app; pwd' }]], {
    Cmd: ['/bin/sh', '/app/run.sh'],
    WorkingDir: '/app',
  });
  create('inner', {
    volumes: [{ name: 'config', configMap: { name: 'inner' } }],
    containers: [{ name: 'main', image: digest, volumeMounts: [{ name: 'config', mountPath: '/app/config' }] }],
  });
  t.is(await logOf(cluster, await done('inner'), 'main'), 'insideinsideconfig\nrun.sh\n/app\n');
});

test('a module of the image is what the image says it is, whatever package the data of the platform lies in', async (t) => {
  await writeFile(join(cluster.directory, 'package.json'), '{ "type": "module" }');
  const digest = await writeImage(layout, [[{ name: 'app/server.js', content: 'console.log(typeof require)' }]], {
    Cmd: ['node', 'server.js'],
    WorkingDir: '/app',
  });
  create('common', { containers: [{ name: 'main', image: digest }] });
  t.is(await logOf(cluster, await done('common'), 'main'), 'function\n');
});

test('an absolute path of the image in the command is understood without any mount', async (t) => {
  const digest = await writeImage(layout, [[{ name: 'app/run.sh', content: 'echo absolute' }]], {
    Cmd: ['/bin/sh', '/app/run.sh'],
    WorkingDir: '/app',
  });
  create('absolute', { containers: [{ name: 'main', image: digest }] });
  t.is(await logOf(cluster, await done('absolute'), 'main'), 'absolute\n');
});

test('a volume that is not served here waits with a reason that names what is', async (t) => {
  create('nfs', { volumes: [{ name: 'disk', nfs: { server: 'x', path: '/' } }], containers: [shell('true')] });
  const found = await waiting('nfs', 'VolumeNotSupported');
  t.regex(state(found, 'main')?.state?.waiting?.message ?? '', /volume "disk" is nfs; pods here can have configMap, secret/);
});

test('hostPath volumes are not served', async (t) => {
  create('host', { volumes: [{ name: 'root', hostPath: { path: '/' } }], containers: [shell('true')] });
  await waiting('host', 'VolumeNotSupported');
  t.pass();
});

test('the service of another application is reached over a stable loopback port, and waited for', async (t) => {
  const web = `require('node:http').createServer((q, s) => s.end('from web')).listen(process.env.PORT)`;
  const reader = `fetch('http://$(BACKEND_SERVICE_HOST):$(BACKEND_SERVICE_PORT_HTTP)/').then((r) => r.text()).then(console.log)`;
  create('reader', {
    containers: [
      { name: 'main', image: 'process', command: ['node', '-e', 'eval(process.env.SCRIPT)'], env: [{ name: 'SCRIPT', value: reader }] },
    ],
  });
  const found = await waiting('reader', 'CreateContainerConfigError');
  t.is(state(found, 'main')?.state?.waiting?.message, 'the service behind $(BACKEND_SERVICE_HOST) does not exist');
  cluster.store.create(
    Pods,
    pod(
      'backend',
      { containers: [{ name: 'main', image: 'process', command: ['node', '-e', web], ports: [{ name: 'http', containerPort: 80 }] }] },
      { app: 'backend' },
    ),
  );
  await untilPod(cluster, 'backend', 'ready', isReady);
  cluster.store.create(Services, service('backend'));
  t.is(await logOf(cluster, await done('reader'), 'main'), 'from web\n');
  const announced = await until(
    'announced',
    () => cluster.store.get(Services, { namespace: 'default', name: 'backend' })?.metadata.annotations?.['local.tappaas.dev/ports'],
  );
  const { http } = JSON.parse(announced) as { http: number };
  t.is(await (await fetch(`http://127.0.0.1:${http}/`)).text(), 'from web');
  t.not(http, hostPort(read(cluster, 'backend') as never));
});

test('an unprivileged user gets the same mounts through a user namespace', async (t) => {
  if (process.getuid?.() !== 0) return t.pass('runs unprivileged anyway');
  const probe = join(cluster.directory, 'probe');
  await mkdir(probe, { mode: 0o777 });
  execFileSync('chmod', ['777', probe, cluster.directory]);
  const script = `
    const { namespacePrefix, namespaceObstacle } = await import(process.argv[1]);
    const obstacle = await namespaceObstacle(process.argv[2] + '/stage');
    if (obstacle) { console.log('obstacle: ' + obstacle); process.exit(0); }
    const { execFileSync } = await import('node:child_process');
    const prefix = await namespacePrefix([{ source: process.argv[2], target: '/data-tappaas/x', readOnly: false, isFile: false }], process.argv[2] + '/stage', '/');
    console.log(execFileSync(prefix[0], [...prefix.slice(1), '/bin/sh', '-c', 'echo hi > /data-tappaas/x/file; cat /data-tappaas/x/file; id -u'], { encoding: 'utf8' }));
  `;
  const module = new URL('../dist/agent/volume/mount-namespace.js', import.meta.url).href;
  const output = execFileSync(
    'setpriv',
    ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '--input-type=module', '-e', script, module, probe],
    { encoding: 'utf8' },
  );
  t.true(output.startsWith('obstacle: ') || output === 'hi\n65534\n\n', output);
});

import test from 'ava';
import { planMounts, type HostView } from '../dist/agent/volume/mount-plan.js';
import { entryParts, linkTarget } from '../dist/agent/image/entry-path.js';

const tree: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '/': { bin: '-> usr/bin', etc: 'dir', usr: 'dir', vmlinuz: 'file' },
  '/etc': { passwd: 'file', ssl: 'dir' },
  '/etc/ssl': { certs: 'dir' },
  '/usr': { bin: 'dir' },
};

const host: HostView = {
  list(path) {
    const entries = tree[path];
    return (
      entries &&
      new Map(
        Object.entries(entries).map(([name, kind]) => [
          name,
          { isDirectory: kind === 'dir', ...(kind.startsWith('-> ') ? { linkTarget: kind.slice(3) } : {}) },
        ]),
      )
    );
  },
};

const plan = (...targets: string[]) =>
  planMounts(
    targets.map((target) => ({ source: `/v${target}`, target, readOnly: false, isFile: false })),
    host,
  ).map((step) => step.join(' '));
const base = ['link usr/bin /bin', 'bind /usr /usr', 'file /vmlinuz /vmlinuz'];

test('a place that nothing of the host has is made', (t) => {
  t.deepEqual(plan('/data'), ['link usr/bin /bin', 'bind /etc /etc', ...base.slice(1), 'bind /v/data /data']);
  t.deepEqual(plan('/data/deep/er').slice(-3), ['dir /data', 'dir /data/deep', 'bind /v/data/deep/er /data/deep/er']);
});

test('a folder of the host that has the place is bound, and the mount laid over it', (t) => {
  t.deepEqual(plan('/etc/ssl/certs'), [...base, 'bind /etc /etc', 'bind /etc/ssl /etc/ssl', 'bind /v/etc/ssl/certs /etc/ssl/certs']);
});

test('a folder of the host that lacks the place is made anew from links into the original', (t) => {
  t.deepEqual(plan('/etc/app'), [
    ...base,
    'dir /etc',
    'bind /etc /.host/1',
    'link /.host/1/passwd /etc/passwd',
    'link /.host/1/ssl /etc/ssl',
    'bind /v/etc/app /etc/app',
  ]);
});

test('a mount below another mount comes after it, and read-only last', (t) => {
  const steps = planMounts(
    [
      { source: '/inner', target: '/app/config', readOnly: true, isFile: false },
      { source: '/outer', target: '/app', readOnly: true, isFile: false },
    ],
    host,
  );
  t.deepEqual(steps.slice(-4), [
    ['bind', '/outer', '/app'],
    ['bind', '/inner', '/app/config'],
    ['ro', '/app/config'],
    ['ro', '/app'],
  ]);
});

test('names of entries and targets of links never lead out of an image', (t) => {
  t.deepEqual(entryParts('./a//b/'), ['a', 'b']);
  for (const name of ['../x', 'a/../../x', '/..', 'a/\0b']) t.throws(() => entryParts(name), { name: 'LayerRefused' }, name);
  t.is(linkTarget(['a', 'b', 'l'], '/x/y'), '../../x/y');
  t.is(linkTarget(['l'], '/'), '.');
  t.is(linkTarget(['a', 'l'], '../x'), '../x');
  for (const [parts, target] of [
    [['l'], '..'],
    [['a', 'l'], '../../x'],
    [['a', 'l'], '/../x'],
  ] as const)
    t.throws(() => linkTarget(parts, target), { name: 'LayerRefused' });
});

import test from 'ava';
import type { Immutable, KubernetesObject } from '@tappaas/sdk';
import { contentOf } from '../../dist/reconcile/release.js';
import { createRenderSet, type AttributedRenderSet } from '../../dist/reconcile/render-set.js';

const service = (name: string): KubernetesObject => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'shop' } });
const workload = (kind: string, name: string, path: readonly string[]): KubernetesObject => {
  const template: object = { spec: { containers: [{ name: 'web', image: 'web:1' }] } };
  const inner = path.reduceRight<object>((below, field) => ({ [field]: below }), template);
  return { apiVersion: 'apps/v1', kind, metadata: { name, namespace: 'shop' }, ...inner };
};

function setUp(objects: readonly KubernetesObject[] = []) {
  const state = { actor: 'application' };
  const set = createRenderSet(objects, { actor: () => state.actor });
  const as = <R>(plugin: string, work: () => R): R => {
    state.actor = plugin;
    return work();
  };
  return { set, as };
}

const names = (set: Iterable<Immutable<KubernetesObject>>): string[] => [...set].map(({ kind, metadata }) => `${kind}/${metadata.name}`);

test('every method gives a new set and leaves the old one as it was', (t) => {
  const { set } = setUp([service('web')]);
  const more = set.add(service('api'));
  const [web] = [...set];
  const less = more.remove(web ?? service('web'));
  t.deepEqual([names(set), names(more), names(less)], [['Service/web'], ['Service/web', 'Service/api'], ['Service/api']]);
});

test('two plugins that add the same object are both named', (t) => {
  const { set, as } = setUp([service('web')]);
  const meshed = as('mesh', () => set.add(service('proxy')));
  const error = t.throws(() => as('other-mesh', () => meshed.add(service('proxy'))), { code: 'TAP_RENDER_DUPLICATE' });
  t.is(error?.message, 'plugin other-mesh adds Service shop/proxy, which plugin mesh has added already');
  t.throws(() => as('mesh', () => set.add(service('web'))), { code: 'TAP_RENDER_DUPLICATE', message: /plugin application has added/ });
});

test('another version of the same object is a duplicate, another group is not', (t) => {
  const { set } = setUp([{ ...service('web'), apiVersion: 'apps/v1' }]);
  t.throws(() => set.add({ ...service('web'), apiVersion: 'apps/v2' }), { code: 'TAP_RENDER_DUPLICATE' });
  t.notThrows(() => set.add({ ...service('web'), apiVersion: 'other/v1' }));
});

test('objects are frozen, and cut off from what the plugin keeps', (t) => {
  const mine = { ...service('web'), spec: { ports: [80] } };
  const { set } = setUp([mine]);
  mine.spec.ports.push(81);
  const [web] = [...set];
  const spec = web?.['spec'] as { ports: number[] } | undefined;
  t.deepEqual(spec, { ports: [80] });
  t.throws(() => spec?.ports.push(82), { instanceOf: TypeError });
});

test('a change is applied to what the set holds now, also through an older reference', (t) => {
  const { set } = setUp([service('web')]);
  const [web] = [...set] as [Immutable<KubernetesObject>];
  const twice = set.change(web, (draft) => void (draft['a'] = 1)).change(web, (draft) => void (draft['b'] = 2));
  const [changed] = [...twice];
  t.deepEqual([changed?.['a'], changed?.['b']], [1, 2]);
});

test('a change that changes nothing gives the same set', (t) => {
  const { set } = setUp([service('web')]);
  const [web] = [...set] as [Immutable<KubernetesObject>];
  t.is(
    set.change(web, () => {}),
    set,
  );
});

test('an object that is not in the set can be neither changed nor removed', (t) => {
  const { set } = setUp();
  t.throws(() => set.change(service('web'), () => {}), { code: 'TAP_RENDER_ABSENT', message: /Service shop\/web/ });
  t.throws(() => set.remove(service('web')), { code: 'TAP_RENDER_ABSENT' });
});

test('a change cannot make another object out of one', (t) => {
  const { set } = setUp([service('web'), service('api')]);
  const [web] = [...set] as [Immutable<KubernetesObject>];
  t.throws(() => set.change(web, (draft) => void (draft.metadata.name = 'api')), { code: 'TAP_RENDER_INVALID' });
  t.throws(() => set.change(web, (draft) => void (draft.kind = 'Secret')), { code: 'TAP_RENDER_INVALID' });
});

for (const [what, value] of Object.entries({
  'no kind': { apiVersion: 'v1', metadata: { name: 'a' } },
  'no name': { apiVersion: 'v1', kind: 'Service', metadata: {} },
  'no metadata': { apiVersion: 'v1', kind: 'Service' },
  'a bigint': { ...service('a'), size: 1n },
  nothing: undefined,
})) {
  test(`an object with ${what} is refused, naming the plugin`, (t) => {
    const { set, as } = setUp();
    t.throws(() => as('mesh', () => set.add(value as unknown as KubernetesObject)), { code: 'TAP_RENDER_INVALID', message: /plugin mesh/ });
  });
}

test('undefined and null are left out, as they say nothing', (t) => {
  const { set } = setUp([{ ...service('web'), a: undefined, b: null, c: [null] }]);
  t.deepEqual(Object.keys([...set][0] ?? {}), ['apiVersion', 'kind', 'metadata', 'c']);
});

test('only so many objects may be rendered', (t) => {
  const set = createRenderSet([service('a'), service('b')], { actor: () => 'mesh', objectsMax: 2 });
  t.throws(() => set.add(service('c')), { code: 'TAP_RENDER_TOO_MANY' });
});

test('pod templates are found in whatever they stand', (t) => {
  const { set } = setUp([
    workload('Deployment', 'web', ['spec', 'template']),
    workload('CronJob', 'nightly', ['spec', 'jobTemplate', 'spec', 'template']),
    workload('Rollout', 'unknown', ['spec', 'workload', 'template']),
    workload('Pod', 'bare', []),
    service('web'),
  ]);
  const owners: string[] = [];
  const changed = set.changePodTemplates((draft, owner) => {
    owners.push(owner.kind);
    if (draft.spec) draft.spec.runtimeClassName = 'gvisor';
  });
  t.deepEqual(owners, ['Deployment', 'CronJob', 'Rollout', 'Pod']);
  t.is(JSON.stringify([...changed]).split('"runtimeClassName":"gvisor"').length - 1, 4);
  t.false(JSON.stringify([...set]).includes('gvisor'));
});

test('it knows which plugins had a part in it', (t) => {
  const { set, as } = setUp([workload('Deployment', 'web', ['spec', 'template'])]);
  const shaped = as('runtime-gpu', () => set.changePodTemplates((draft) => void (draft.metadata = { labels: { gpu: 'yes' } })));
  const untouched = as('mesh', () => shaped.changePodTemplates(() => {})) as AttributedRenderSet;
  t.deepEqual(untouched.contributors, ['application', 'runtime-gpu']);
});

test('equal content has one digest, whatever the order of objects and keys', (t) => {
  const one = setUp([service('a'), { ...service('b'), spec: { x: 1, y: 2 } }]).set;
  const other = setUp([{ ...service('b'), spec: { y: 2, x: 1 } }, service('a')]).set;
  t.is(contentOf(one, 'local').digest, contentOf(other, 'local').digest);
  t.not(contentOf(one, 'local').digest, contentOf(one, 'remote').digest);
  t.not(contentOf(one, 'local').digest, contentOf(setUp([service('a')]).set, 'local').digest);
});

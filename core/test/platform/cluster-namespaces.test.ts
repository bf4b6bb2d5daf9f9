import { objectErrors } from '@tappaas/sdk';
import test from 'ava';
import * as fc from 'fast-check';
import type { ClusterAccess } from '../../dist/platform/clusters/cluster-access.js';
import { ClusterNamespaces, namesOnCluster, namespaceOn, namespacesOfClusters } from '../../dist/platform/clusters/cluster-namespaces.js';

const template = 'tappaas-{namespace}';

type Labels = Readonly<Record<string, string>>;
interface Namespace {
  readonly metadata: { readonly name: string; readonly labels: Labels };
}

/** A cluster that has these namespaces. */
function clusterWith(namespaces: Record<string, Labels> = {}): { readonly access: ClusterAccess; readonly namespaces: typeof namespaces } {
  const client = {
    async create(_: unknown, { metadata: { name, labels } }: Namespace) {
      if (namespaces[name] !== undefined) throw objectErrors.TAP_OBJECT_EXISTS({ message: `${name} exists` });
      namespaces[name] = labels;
    },
    find: async (_: unknown, { name }: { name: string }) => namespaces[name] && { metadata: { name, labels: namespaces[name] } },
    apply: async (_: unknown, { metadata: { name, labels } }: Namespace) => void (namespaces[name] = { ...namespaces[name], ...labels }),
  };
  return { access: { name: 'east', client, cluster: { namespaceTemplate: template } } as unknown as ClusterAccess, namespaces };
}

const madeFor = (namespace: string): Labels => ({ 'tappaas.dev/installation': 'inst-1', 'tappaas.dev/namespace': namespace });

test('the template names the namespace', (t) => {
  t.deepEqual(namesOnCluster(template, 'team-a'), { name: 'tappaas-team-a' });
});

/** Finds namespaces of a cluster `east` that has these. */
function finding(namespaces: Record<string, Labels>, namespaceTemplate = 'on-east-{namespace}') {
  const requested: string[] = [];
  const getMany = async (_: unknown, keys: readonly { readonly name: string }[]) =>
    keys.map(({ name }) => {
      requested.push(name);
      const labels = namespaces[name];
      return labels && { object: { metadata: { name, labels } }, bytes: new Uint8Array(), resourceVersion: '1' };
    });
  const find = namespacesOfClusters(new Map([['east', { namespaceTemplate }]]), () => new Map([['east', { getMany }]]));
  return { requested, find: (cluster: string, namespace: string) => find(cluster, namespace, new AbortController().signal) };
}

test('the namespaces of a cluster are named by its template, and a cluster that is not loaded has none', async (t) => {
  const { find, requested } = finding({ 'on-east-team-a': madeFor('team-a') });
  t.deepEqual(await find('east', 'team-a'), { name: 'on-east-team-a' });
  t.is(await find('west', 'team-a'), 'unknown-cluster');
  t.deepEqual(requested, ['on-east-team-a']);
});

test('a namespace of a cluster is found only for the one of the platform that it was created for', async (t) => {
  const { find } = finding({ 'on-east-team-a': madeFor('team-b'), 'on-east-team-c': {} });
  for (const namespace of ['team-a', 'team-b', 'team-c']) t.is(await find('east', namespace), 'none', namespace);
});

test('a name is one that Kubernetes allows, and two namespaces never share one', (t) => {
  const namespace = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/);
  fc.assert(
    fc.property(namespace, namespace, (one, other) => {
      const [first = '', second = ''] = [one, other].map((each) => namesOnCluster(template, each).name);
      return /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(first) && (one === other) === (first === second);
    }),
  );
  t.pass();
});

/** Two namespaces whose full names share the first 32 bits of their SHA-256, found among 109,077 names in 0.2 s. */
const colliding = ['agnhn', 'bkkbe'].map((ending) => `${'n'.repeat(50)}-${ending}`) as [string, string];

test('long namespaces whose names were computed to share 32 bits of their hash have different names', (t) => {
  const [first, second] = colliding.map((namespace) => namesOnCluster(template, namespace));
  t.is(first?.earlier, second?.earlier);
  t.not(first?.name, second?.name);
  t.regex(first?.name ?? '', /-[0-9a-f]{32}$/);
});

test('the name that a long namespace gets on a cluster, or had, cannot be taken by a namespace that is called so', (t) => {
  const { name, earlier = '' } = namesOnCluster(template, 'n'.repeat(60));
  for (const taken of [name, earlier]) t.not(namesOnCluster(template, taken.replace('tappaas-', '')).name, taken);
});

test('a namespace that a cluster has under its earlier name is used on, and one made for another namespace is not', async (t) => {
  const [victim, attacker] = colliding;
  const { name, earlier = '' } = namesOnCluster(template, attacker);
  const { access, namespaces } = clusterWith({ [earlier]: madeFor(victim) });
  const { find } = finding(namespaces, template);
  t.is(await namespaceOn(access, victim), earlier);
  t.deepEqual(await find('east', victim), { name: earlier });
  t.is(await namespaceOn(access, attacker), name);
  t.is(await find('east', attacker), 'none');
  for (const each of colliding) await new ClusterNamespaces('inst-1').ensure(access, await namespaceOn(access, each), each);
  t.deepEqual(namespaces, { [earlier]: madeFor(victim), [name]: { ...namespaces[name], ...madeFor(attacker) } });
  t.deepEqual(await find('east', attacker), { name });
});

test('a namespace of a cluster says for which of the platform’s it was made, also where it did not say so from the beginning', async (t) => {
  const { access, namespaces } = clusterWith({ 'tappaas-b': { 'tappaas.dev/installation': 'inst-1' } });
  const made = new ClusterNamespaces('inst-1');
  for (const namespace of ['a', 'b']) {
    await made.ensure(access, `tappaas-${namespace}`, namespace);
    t.like(namespaces[`tappaas-${namespace}`], madeFor(namespace));
  }
});

test('a namespace that was made for another one is refused and stays as it is, whether or not this process has made it', async (t) => {
  const { access, namespaces } = clusterWith();
  const first = new ClusterNamespaces('inst-1');
  await first.ensure(access, 'tappaas-a', 'a');
  const before = { ...namespaces };
  for (const each of [first, new ClusterNamespaces('inst-1')]) {
    const error = await t.throwsAsync(each.ensure(access, 'tappaas-a', 'b'), { code: 'TAP_NAMESPACE_FOREIGN' });
    t.is(error.message, 'namespace tappaas-a of cluster east was made for namespace a, not for b');
    t.deepEqual(namespaces, before);
    await each.ensure(access, 'tappaas-a', 'a');
  }
});

test('a namespace of another installation is refused', async (t) => {
  const { access, namespaces } = clusterWith({ 'tappaas-a': { 'tappaas.dev/installation': 'inst-2' }, 'kube-system': {} });
  const before = { ...namespaces };
  for (const name of ['tappaas-a', 'kube-system']) {
    await t.throwsAsync(new ClusterNamespaces('inst-1').ensure(access, name, 'a'), { code: 'TAP_NAMESPACE_FOREIGN' });
  }
  t.deepEqual(namespaces, before);
});

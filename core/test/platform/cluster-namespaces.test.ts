import { objectErrors } from '@tappaas/sdk';
import test from 'ava';
import * as fc from 'fast-check';
import type { ClusterAccess } from '../../dist/platform/clusters/cluster-access.js';
import { clusterNamespace, ClusterNamespaces, namespacesOfClusters } from '../../dist/platform/clusters/cluster-namespaces.js';

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
  return { access: { name: 'east', client } as unknown as ClusterAccess, namespaces };
}

const madeFor = (namespace: string): Labels => ({ 'tappaas.dev/installation': 'inst-1', 'tappaas.dev/namespace': namespace });

test('the template names the namespace', (t) => {
  t.is(clusterNamespace('tappaas-{namespace}', 'team-a'), 'tappaas-team-a');
});

/** Finds namespaces of a cluster `east` that has these. */
function finding(namespaces: Record<string, Labels>) {
  const asked: string[] = [];
  const getMany = async (_: unknown, keys: readonly { readonly name: string }[]) =>
    keys.map(({ name }) => {
      asked.push(name);
      const labels = namespaces[name];
      return labels && { object: { metadata: { name, labels } }, bytes: new Uint8Array(), resourceVersion: '1' };
    });
  const find = namespacesOfClusters(
    new Map([['east', { namespaceTemplate: 'on-east-{namespace}' }]]),
    () => new Map([['east', { getMany }]]),
  );
  return { asked, find: (cluster: string, namespace: string) => find(cluster, namespace, new AbortController().signal) };
}

test('the namespaces of a cluster are named by its template, and a cluster that is not loaded has none', async (t) => {
  const { find, asked } = finding({ 'on-east-team-a': madeFor('team-a') });
  t.deepEqual(await find('east', 'team-a'), { name: 'on-east-team-a' });
  t.is(await find('west', 'team-a'), 'unknown-cluster');
  t.deepEqual(asked, ['on-east-team-a']);
});

test('a namespace of a cluster is found only for the one of the platform that it was created for', async (t) => {
  const { find } = finding({ 'on-east-team-a': madeFor('team-b'), 'on-east-team-c': {} });
  for (const namespace of ['team-a', 'team-b', 'team-c']) t.is(await find('east', namespace), 'none', namespace);
});

test('a name is never longer than Kubernetes allows, and two namespaces never share one', (t) => {
  const name = fc.stringMatching(/^[a-z]{1,63}$/);
  fc.assert(
    fc.property(name, name, (one, other) => {
      const [first, second] = [one, other].map((each) => clusterNamespace('tappaas-{namespace}', each));
      return (first ?? '').length <= 63 && (one === other) === (first === second);
    }),
  );
  t.pass();
});

test('the name that a long namespace gets on a cluster cannot be taken by a namespace that is called so', (t) => {
  const taken = clusterNamespace('tappaas-{namespace}', 'n'.repeat(60));
  t.not(clusterNamespace('tappaas-{namespace}', taken.replace('tappaas-', '')), taken);
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

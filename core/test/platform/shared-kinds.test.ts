/** Who of a tenant reads objects that lie in no namespace, with the engine that serves their kinds. */
import { defineKind, Type } from '@tappaas/sdk';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import test from 'ava';
import { createAccess } from '../../dist/access/access.js';
import { enginePlaces } from '../../dist/platform/access/places.js';
import { startEngine } from '../resources/engine-fixture.ts';

const kindOf = (kind: string, plural: string, isShared?: true) =>
  defineKind({
    group: 'acme.example',
    kind,
    plural,
    version: 'v1',
    scope: 'Cluster',
    description: 'Something of a third party.',
    spec: Type.Object({}),
    status: Type.Object({}),
    ...(isShared && { isShared }),
  });
const kinds = [
  kindOf('PlanClass', 'planclasses', true),
  kindOf('Ledger', 'ledgers'),
  kubernetesHandle('scheduling.k8s.io', 'PriorityClass', { isShared: true }),
  kubernetesHandle('storage.k8s.io', 'StorageClass'),
];

test('a kind of a plugin says itself that it is the same for all tenants, and those of it read what roles let them', async (t) => {
  const { engine, close } = await startEngine({ more: kinds });
  t.teardown(close);
  const { authorize } = createAccess({
    authorizers: () => [{ authorize: ({ verb }) => ({ decision: verb === 'administer' ? 'no-opinion' : 'allow', reason: 'a role' }) }],
    missing: () => [],
    places: enginePlaces((name) => (name === 'platform' ? engine : undefined)),
  });
  const ann = { name: 'ann', groups: [], tenant: 'acme' };
  const decide = async (group: string, version: string, plural: string, verb = 'list', on = 'platform') =>
    (await authorize({ caller: ann, engine: on, verb, resource: { group, version, plural } })).decision;

  t.is(await decide('acme.example', 'v1', 'planclasses'), 'allow');
  t.is(await decide('acme.example', 'v1', 'planclasses', 'create'), 'deny');
  t.is(await decide('acme.example', 'v1', 'ledgers'), 'deny', 'a kind that does not say so');
  t.is(await decide('scheduling.k8s.io', 'v1', 'priorityclasses'), 'allow', 'a kind of Kubernetes says it in the same way');
  t.is(await decide('storage.k8s.io', 'v1', 'storageclasses'), 'deny');
  t.is(await decide('acme.example', 'v1', 'planclasses', 'list', 'elsewhere'), 'deny', 'on an engine that does not serve it');
});

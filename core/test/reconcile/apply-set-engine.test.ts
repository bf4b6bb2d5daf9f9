import test from 'ava';
import { isTapError, type KubernetesObject } from '@tappaas/sdk';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { runApplySet, type ApplyTarget } from '../../dist/reconcile/apply-set.js';
import type { InventoryEntry } from '../../dist/reconcile/inventory.js';
import { refOf, refText, type ObjectRef } from '../../dist/reconcile/object-ref.js';
import { options, startEngine, type Fixture } from '../resources/engine-fixture.ts';

const manager = 'tappaas-application';
const paths: Record<string, { group: string; version: string; plural: string }> = {
  Deployment: { group: 'apps', version: 'v1', plural: 'deployments' },
  Ingress: { group: 'networking.k8s.io', version: 'v1', plural: 'ingresses' },
  ConfigMap: { group: '', version: 'v1', plural: 'configmaps' },
};

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** The platform's own engine as a cluster: schemas, list types and field ownership are the real ones. */
function engineTarget(engine: Fixture['engine'], writes: string[]): ApplyTarget {
  const targetOf = ({ kind, namespace = '', name }: ObjectRef) => ({
    kind: paths[kind] ?? { group: '', version: '', plural: '' },
    namespace,
    name,
  });
  return {
    async find(ref, signal) {
      try {
        return structuredClone((await engine.get(targetOf(ref), { signal })).object) as KubernetesObject;
      } catch (error) {
        if (isTapError(error, 'TAP_OBJECT_NOT_FOUND')) return undefined;
        throw error;
      }
    },
    async apply(object, { fieldManager, force }) {
      writes.push(`apply ${refText(refOf(object))}`);
      const target = targetOf(refOf(object));
      const result = await engine.write(
        { verb: 'patch', target, body: bytes(object), patchType: 'apply', force },
        options({ fieldManager }),
      );
      return structuredClone(result.served.object) as KubernetesObject;
    },
    async delete(ref, { uid }) {
      writes.push(`delete ${refText(ref)}`);
      await engine.write({ verb: 'delete', target: targetOf(ref), options: { preconditions: { uid } } }, options());
    },
  };
}

const metadata = (name: string) => ({ name, namespace: 'default', labels: { 'app.kubernetes.io/name': name } });

const rendered = (image: string): KubernetesObject[] => [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata('web'),
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          terminationGracePeriodSeconds: 30,
          containers: [
            {
              name: 'web',
              image,
              command: ['node', 'server.js'],
              // What a server stores no trace of.
              args: [],
              envFrom: [],
              env: [
                { name: 'A', value: '1' },
                { name: 'B', valueFrom: { secretKeyRef: { name: 'database', key: 'url' } } },
              ],
              ports: [{ name: 'http', containerPort: 8080 }],
              resources: { requests: { cpu: '1000m', memory: '1024Mi' } },
              readinessProbe: { httpGet: { path: '/', port: 'http' } },
              volumeMounts: [{ name: 'scratch', mountPath: '/tmp' }],
            },
          ],
          volumes: [{ name: 'scratch', emptyDir: {} }],
        },
      },
    },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: metadata('web'),
    spec: {
      rules: [
        {
          host: 'web.localhost',
          http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { name: 'http' } } } }] },
        },
      ],
    },
  },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('settings'), data: { a: '1' } },
];

test('against the real field ownership a settled set writes nothing, drift is repaired, and what is left out goes', async (t) => {
  const kinds = [kubernetesHandle('apps', 'Deployment'), kubernetesHandle('networking.k8s.io', 'Ingress')];
  const { engine, patch, get, close } = await startEngine({ more: kinds });
  t.teardown(close);
  const writes: string[] = [];
  let inventory: readonly InventoryEntry[] = [];
  const run = async (objects: readonly KubernetesObject[]) => {
    writes.length = 0;
    return runApplySet(objects, {
      target: engineTarget(engine, writes),
      inventory,
      saveInventory: async (entries) => {
        inventory = entries;
      },
      ownership: { installation: 'inst-1', owner: 'app-1' },
      manager,
      signal: new AbortController().signal,
    });
  };
  const first = await run(rendered('web:1'));
  t.deepEqual(first.failed, []);
  t.is(writes.length, 3);

  t.is((await run(rendered('web:1'))).skipped, 3);
  t.deepEqual(writes, [], 'nothing changed, nothing is written');

  const { Deployment = { group: '', version: '', plural: '' } } = paths;
  await patch(Deployment, 'default/web', { metadata: { annotations: { note: 'by hand' } }, spec: { minReadySeconds: 3 } });
  t.is((await run(rendered('web:1'))).skipped, 3, "other people's fields are not ours");

  await patch(Deployment, 'default/web', { spec: { replicas: 7 } });
  t.deepEqual(
    (await run(rendered('web:1'))).applied.map(({ kind }) => kind),
    ['Deployment'],
  );
  t.is((await get(Deployment, 'default/web')).spec.replicas, 2);
  t.is((await run(rendered('web:1'))).skipped, 3);

  t.deepEqual(
    (await run(rendered('web:2').slice(0, 2))).deleted.map(({ kind }) => kind),
    ['ConfigMap'],
  );
  t.deepEqual(writes, ['apply Deployment default/web', 'delete ConfigMap default/settings']);
  t.is((await get(Deployment, 'default/web')).spec.minReadySeconds, 3);

  t.true((await run([])).isComplete);
  t.deepEqual(inventory, []);
});

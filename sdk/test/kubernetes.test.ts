import test from 'ava';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { generate } from '../../.ci/generate-kubernetes.ts';
import { kubernetesKinds, kubernetesSchemas } from '@tappaas/sdk/kubernetes';
import type { Deployment, KubernetesObject } from '../dist/kubernetes.js';

const repository = new URL('../../', import.meta.url);
const folder = process.env['TAPPAAS_KUBERNETES_OPENAPI'] ?? fileURLToPath(new URL('../shared/data/kubernetes-openapi', repository));

(existsSync(folder) ? test : test.skip)('the generated Kubernetes files are what the OpenAPI documents give today', (t) => {
  for (const [path, text] of Object.entries(generate(folder))) {
    t.is(readFileSync(new URL(path, repository), 'utf8'), text, `${path} differs: run node .ci/generate-kubernetes.ts ${folder}`);
  }
});

test('every kind has a name, a verb and a schema with a description', (t) => {
  for (const kind of kubernetesKinds) {
    t.regex(kind.plural, /^[a-z]+$/, kind.kind);
    t.true(kind.verbs.length > 0, kind.kind);
    t.truthy(kubernetesSchemas[kind.schema]?.description, kind.schema);
  }
  t.is(new Set(kubernetesKinds.map((kind) => `${kind.group}/${kind.kind}`)).size, kubernetesKinds.length);
});

test('scope, verbs and subresources are read from the paths', (t) => {
  const named = (kind: string, group = '') => kubernetesKinds.find((row) => row.kind === kind && row.group === group);
  t.like(named('Node'), { scope: 'Cluster', plural: 'nodes', shortNames: ['no'] });
  t.like(named('Ingress', 'networking.k8s.io'), { scope: 'Namespaced', plural: 'ingresses' });
  t.deepEqual(named('SelfSubjectAccessReview', 'authorization.k8s.io')?.verbs, ['create']);
  t.deepEqual(named('Namespace')?.verbs, ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']);
  t.deepEqual(
    named('Deployment', 'apps')?.subresources.map((part) => `${part.name} ${part.group}/${part.kind}`),
    ['scale autoscaling/Scale', 'status apps/Deployment'],
  );
});

test('every reference leads to a schema', (t) => {
  const text = JSON.stringify(kubernetesSchemas);
  const names = new Set([...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1] ?? ''));
  t.true(names.size > 100);
  t.deepEqual(
    [...names].filter((name) => kubernetesSchemas[name] === undefined),
    [],
  );
});

test('zero values are defaults in status only, so that a missing required field is told', (t) => {
  const property = (schema: string, name: string) => kubernetesSchemas[`io.k8s.api.${schema}`]?.properties?.[name];
  t.is(property('core.v1.ContainerPort', 'protocol')?.default, 'TCP');
  t.is(property('core.v1.Container', 'name')?.default, undefined);
  t.is(property('apps.v1.ReplicaSetStatus', 'replicas')?.default, 0);
  t.deepEqual(property('apps.v1.Deployment', 'status')?.default, {});
  t.truthy(property('core.v1.LimitRangeItem', 'default'), 'a property that is called default stays');
});

test('a typed kind is a KubernetesObject', (t) => {
  const deployment: Deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop' },
    spec: {
      selector: { matchLabels: { app: 'shop' } },
      template: { spec: { containers: [{ name: 'web', resources: { limits: { cpu: '1' } } }] } },
    },
  };
  const object: KubernetesObject = deployment;
  t.is(object.metadata.name, 'shop');
});

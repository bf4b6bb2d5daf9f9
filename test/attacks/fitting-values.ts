/** What fields have to be that schemas say too little of, so that something comes of a request. */
import { constant, constantFrom, type Arbitrary } from 'fast-check';
import { knownVersion, names, namespace } from './openapi-texts.ts';

/** By the name of the field, wherever it stands. */
export const fittingFields: Readonly<Record<string, Arbitrary<unknown>>> = {
  namespace: constant(namespace),
  name: constantFrom(...names),
  resourceVersion: constant(knownVersion),
  propagationPolicy: constantFrom('Foreground', 'Background', 'Orphan'),
  gracePeriodSeconds: constantFrom(0, 1),
  cedar: constant('forbid(principal, action, resource) when { principal.name == "nobody" };'),
  image: constant('nothing'),
  schedule: constant('0 0 1 1 *'),
  // What cannot be changed is the same each time.
  target: constant({ group: '', kind: 'Node', name: 'a', uid: 'a' }),
  tenant: constant('acme'),
  user: constant('dora'),
  verb: constant('a'),
};

/** Left out, unless it is required. */
export const leftOut: ReadonlySet<string> = new Set([
  'uid',
  'dryRun',
  // What the platform says of an object, and what keeps it from going.
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'selfLink',
  'managedFields',
  'ownerReferences',
  'finalizers',
  // What a token is for cannot be changed.
  'expiresAt',
  'groups',
  'madeWith',
  'scope',
  'withoutTenant',
  // Refused beside propagationPolicy.
  'orphanDependents',
  // A review asks one question.
  'nonResourceAttributes',
]);

/** Needed though schemas do not call them required. */
export const neededBesides: readonly string[] = ['image', 'ports', 'resourceAttributes', 'spec', 'template', 'tenant', 'user'];

const labels = { app: 'fuzz' };
const pod = { containers: [{ name: 'a', image: 'nothing' }] };
const access = 'rbac.authorization.k8s.io';

/** Parts that have to agree with each other, by the name of their schema. */
export const fittingSchemas: Readonly<Record<string, unknown>> = {
  'io.k8s.api.authorization.v1.ResourceAttributes': { namespace, verb: 'get', resource: 'pods' },
  'io.k8s.api.batch.v1.JobSpec': { template: { metadata: { labels }, spec: { ...pod, restartPolicy: 'Never' } } },
  'io.k8s.api.core.v1.PodSpec': pod,
  'io.k8s.api.core.v1.PodTemplateSpec': { metadata: { labels }, spec: pod },
  'io.k8s.api.rbac.v1.RoleRef': { apiGroup: access, kind: 'ClusterRole', name: 'developer' },
  'io.k8s.api.rbac.v1.Subject': { apiGroup: access, kind: 'User', name: 'a' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector': { matchLabels: labels },
};

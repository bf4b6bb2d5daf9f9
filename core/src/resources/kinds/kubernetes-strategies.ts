import { valueAt } from '../schema/json-value.js';
import type { Strategy } from '../strategy.js';
import { namespaceStrategy } from './namespace.js';

/** The selector is immutable because changing it would orphan the controller's objects. */
const selecting: Strategy = { immutable: ['spec.selector'] };
const uncounted: Strategy = { hasGeneration: false };
const role: Strategy = { names: 'path-segment', hasGeneration: false };
const defaultGraceSeconds = 30;

/** A pod on a node gets a grace period; one that was never scheduled, or has ended, needs none. */
const pod: Strategy = {
  graceSeconds(object, requested) {
    const nodeName = valueAt(object, ['spec', 'nodeName']);
    const phase = valueAt(object, ['status', 'phase']);
    if (typeof nodeName !== 'string' || nodeName === '' || phase === 'Succeeded' || phase === 'Failed') return 0;
    const own = valueAt(object, ['spec', 'terminationGracePeriodSeconds']);
    return Math.max(0, requested ?? (typeof own === 'number' ? own : defaultGraceSeconds));
  },
};

/** Events expire on their own after this time. */
const eventTtlMs = 3_600_000;

/** Behavior of kube-apiserver's code beyond the published schemas, for the kinds served here. */
export const kubernetesStrategies: Readonly<Record<string, Strategy>> = Object.freeze({
  '/Namespace': namespaceStrategy,
  '/Event': { hasGeneration: false, ttlMs: eventTtlMs },
  'events.k8s.io/Event': { hasGeneration: false, ttlMs: eventTtlMs },
  '/Node': { hasGeneration: false, keepsStatusOnCreate: true },
  '/Pod': pod,
  '/Service': { names: 'service', hasGeneration: false },
  '/PersistentVolume': uncounted,
  '/PersistentVolumeClaim': uncounted,
  '/ResourceQuota': uncounted,
  'apps/Deployment': selecting,
  'apps/ReplicaSet': selecting,
  'apps/DaemonSet': selecting,
  'apps/StatefulSet': { immutable: ['spec.selector', 'spec.serviceName', 'spec.podManagementPolicy', 'spec.volumeClaimTemplates'] },
  'batch/Job': { immutable: ['spec.selector', 'spec.template', 'spec.completionMode'] },
  'storage.k8s.io/StorageClass': { hasGeneration: false, immutable: ['provisioner', 'parameters', 'reclaimPolicy', 'volumeBindingMode'] },
  'autoscaling/HorizontalPodAutoscaler': uncounted,
  'networking.k8s.io/NetworkPolicy': { hasGeneration: true },
  'networking.k8s.io/IngressClass': { hasGeneration: true },
  'discovery.k8s.io/EndpointSlice': { hasGeneration: true },
  'rbac.authorization.k8s.io/Role': role,
  'rbac.authorization.k8s.io/ClusterRole': role,
  'rbac.authorization.k8s.io/RoleBinding': role,
  'rbac.authorization.k8s.io/ClusterRoleBinding': role,
});

import { platformNamespace } from '@tappaas/sdk';

/** Namespace of Events about cluster-scoped objects, as in Kubernetes. */
export const eventsOfTheClusterNamespace = 'default';
/** Namespace of Operations on cluster-scoped objects. */
export const operationsOfTheClusterNamespace = platformNamespace;

import { platformNamespace } from '@tappaas/sdk';

/** Where Events about objects without a namespace are, as in Kubernetes. */
export const eventsOfTheClusterNamespace = 'default';
/** Where Operations on objects without a namespace are. */
export const operationsOfTheClusterNamespace = platformNamespace;

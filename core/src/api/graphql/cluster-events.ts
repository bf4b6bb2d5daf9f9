/** Where Events about objects without a namespace are, as in Kubernetes. */
export const eventsOfTheClusterNamespace = 'default';

/** `@tappaas/sdk/kubernetes`: Kubernetes' types, its generated schemas, and handles of its kinds. */
export type * from './kubernetes.js';
export {
  kubernetesKinds,
  kubernetesSchemas,
  kubernetesVersion,
  type KubernetesKind,
  type KubernetesSubresource,
  type OpenApiSchema,
} from './kubernetes-kinds.js';
export { kubernetesHandle, type HandleOptions } from './kubernetes-handle.js';

import type { KubernetesObject } from '@tappaas/sdk';
import type { ApiResource, ObjectKey } from './api-resource.js';
import type { ClusterClient } from './client.js';

/** Names an object of any kind. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** The writes of whoever brings rendered objects to a cluster: any kind, found by discovery. */
export interface ClusterObjects {
  find(ref: ObjectRef, signal: AbortSignal): Promise<KubernetesObject | undefined>;
  /** Server-side apply; `force` takes fields over from other managers. */
  apply(object: KubernetesObject, options: { fieldManager: string; force: boolean; signal: AbortSignal }): Promise<KubernetesObject>;
  /** In the background, and only if the object still is the one with `uid`. */
  delete(ref: ObjectRef, options: { uid: string; signal: AbortSignal }): Promise<void>;
}

export function clusterObjects(client: ClusterClient): ClusterObjects {
  const keyFor = (resource: ApiResource, { namespace, name }: ObjectRef): ObjectKey =>
    resource.namespaced && namespace !== undefined ? { namespace, name } : { name };
  return {
    async find(ref, signal) {
      const resource = await client.discovery.resourceOf(ref);
      return client.find(resource, keyFor(resource, ref), { signal });
    },
    async apply(object, options) {
      const resource = await client.discovery.resourceOf(object);
      return client.apply(resource, object, options);
    },
    async delete(ref, options) {
      const resource = await client.discovery.resourceOf(ref);
      await client.delete(resource, keyFor(resource, ref), { ...options, propagation: 'Background' });
    },
  };
}

import type { Place } from '../../reconcile/rendered-options.js';
import type { ObjectRef } from '../../reconcile/object-ref.js';
import type { ClusterAccess } from './cluster-access.js';
import type { ClusterWatch } from './cluster-watch.js';
import type { SecretValues } from '../sealing/secret-values.js';
import type { RefuseOutside } from './outside-objects.js';

const secretsManager = 'tappaas-secrets';

/** Makes the target through which an apply set writes to a cluster; a namespace is created when something is first applied to it. */
export function clusterPlace(
  { client }: ClusterAccess,
  watch: ClusterWatch,
  refuse: RefuseOutside,
  ensureNamespace: (namespace: string) => Promise<void>,
  secrets: SecretValues,
): Place {
  const keyOf = ({ namespace, name }: ObjectRef) => (namespace === undefined ? { name } : { namespace, name });
  return {
    cached: (ref) => watch.cached(ref),
    below: (objects) => watch.below(objects),
    target: {
      async find(ref, signal) {
        return client.find(await client.discovery.resourceOf(ref), keyOf(ref), { signal });
      },
      async apply(object, { fieldManager, force, signal }) {
        const resource = await client.discovery.resourceOf(object);
        refuse(object, resource);
        if (object.metadata.namespace !== undefined) await ensureNamespace(object.metadata.namespace);
        // Secret values come first, under a separate manager, so that releases and comparisons never contain them.
        const valued = await secrets(object, signal);
        if (valued) await client.apply(resource, valued, { fieldManager: secretsManager, force: true, signal });
        return client.apply(resource, object, { fieldManager, force, signal });
      },
      async delete(ref, { uid, signal }) {
        await client.delete(await client.discovery.resourceOf(ref), keyOf(ref), { uid, propagation: 'Background', signal });
      },
    },
  };
}

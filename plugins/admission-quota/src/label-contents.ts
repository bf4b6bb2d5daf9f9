import { type Immutable, type ReconcileContext, tenantLabel } from '@tappaas/sdk';
import type { Namespace } from '@tappaas/sdk/kubernetes';
import { objectsOf } from './objects-of.js';
import { contents, type Namespaces } from './usage.js';

/** Sets the tenant label of a namespace on its counted objects, and thereby changes their claims. */
export async function labelContents(
  { metadata }: Immutable<Namespace>,
  { asPlugin, signal }: ReconcileContext<typeof Namespaces>,
): Promise<void> {
  const { name: namespace = '', labels, deletionTimestamp } = metadata;
  if (deletionTimestamp !== undefined) return;
  const tenant = labels?.[tenantLabel];
  for (const kind of contents) {
    for await (const object of objectsOf(asPlugin, kind, { namespace })) {
      signal.throwIfAborted();
      const { name = '', labels: own } = object.metadata;
      if (own?.[tenantLabel] === tenant) continue;
      await asPlugin.patch(kind, { namespace, name }, { metadata: { labels: { [tenantLabel]: tenant ?? null } } });
    }
  }
}

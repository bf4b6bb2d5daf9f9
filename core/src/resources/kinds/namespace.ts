import type { KindBehaviour } from '@tappaas/sdk';
import { isJsonObject, valueAt, type JsonObject } from '../schema/json-value.js';
import type { Strategy } from '../strategy.js';

/** The finalizer in `spec` that keeps a namespace until its content is gone. */
export const contentFinalizer = 'kubernetes';
const nameLabel = 'kubernetes.io/metadata.name';

/** A namespace is Active until it is deleted, then Terminating until nothing is left in it. */
export const namespaceStrategy: Strategy = {
  names: 'label',
  hasGeneration: false,
  onCreate: (object) => ({ ...object, spec: { finalizers: [contentFinalizer] }, status: { phase: 'Active' } }),
  onDelete: (object) => ({ ...object, status: { ...(isJsonObject(object['status']) ? object['status'] : {}), phase: 'Terminating' } }),
  isHeld: (object) => finalizersOf(object).length > 0,
};

/** The finalizers in a namespace's spec. */
export function finalizersOf(namespace: JsonObject): readonly unknown[] {
  const finalizers = valueAt(namespace, ['spec', 'finalizers']);
  return Array.isArray(finalizers) ? finalizers : [];
}

interface NamespaceDraft {
  metadata: { name: string; labels?: Record<string, string> };
  spec?: unknown;
}

/** Every namespace carries its name as a label, and only the platform writes its spec. */
export const namespaceBehaviour: KindBehaviour<never> = {
  default(draft: NamespaceDraft, previous?: NamespaceDraft) {
    draft.metadata.labels ??= {};
    draft.metadata.labels[nameLabel] = draft.metadata.name;
    if (previous?.spec !== undefined) draft.spec = previous.spec;
  },
};

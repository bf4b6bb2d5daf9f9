import type { AnyKind, KindBehaviour } from '@tappaas/sdk';
import { isJsonObject, memberOf, valueAt, type JsonObject } from '../schema/json-value.js';
import type { Strategy } from '../strategy.js';

/** The finalizer in `spec` that keeps a namespace until its content is deleted. */
export const contentFinalizer = 'kubernetes';
const nameLabel = 'kubernetes.io/metadata.name';

/** A namespace is Active until it is deleted, then Terminating until it is empty. */
export const namespaceStrategy: Strategy = {
  names: 'label',
  hasGeneration: false,
  onWrite: withNameLabel,
  onCreate: (object) => ({ ...object, spec: { finalizers: [contentFinalizer] }, status: { phase: 'Active' } }),
  onDelete: (object) => ({ ...object, status: { ...(isJsonObject(object['status']) ? object['status'] : {}), phase: 'Terminating' } }),
  isHeld: (object) => finalizersOf(object).length > 0,
};

/** The finalizers in a namespace's spec. */
export function finalizersOf(namespace: JsonObject): readonly unknown[] {
  const finalizers = valueAt(namespace, ['spec', 'finalizers']);
  return Array.isArray(finalizers) ? finalizers : [];
}

/** Sets the name of a namespace as a label, so that selectors can match it. */
function withNameLabel(namespace: JsonObject): JsonObject {
  const metadata = memberOf(namespace, 'metadata') as JsonObject;
  const labels = isJsonObject(metadata['labels']) ? metadata['labels'] : {};
  const { name } = metadata;
  return labels[nameLabel] === name ? namespace : { ...namespace, metadata: { ...metadata, labels: { ...labels, [nameLabel]: name } } };
}

/** The spec of a namespace is written by the platform only. */
export const namespaceBehaviour: KindBehaviour<AnyKind> = {
  default(draft: { spec?: unknown }, previous?: { readonly spec?: unknown }) {
    if (previous?.spec !== undefined) draft.spec = previous.spec;
  },
};

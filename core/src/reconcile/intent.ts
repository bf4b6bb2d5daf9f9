import { change, type Immutable, type KubernetesObject } from '@tappaas/sdk';
import { digestOf } from './canonical.js';
import { ownershipLabels, type Ownership } from './inventory.js';
import { refKey, refOf, type ObjectRef } from './object-ref.js';

/** The desired state of one object: as rendered, with its owner's labels, and without fields that only servers write. */
export interface Intent {
  readonly ref: ObjectRef;
  readonly key: string;
  readonly object: Immutable<KubernetesObject>;
  readonly hash: string;
}

/** Intents by rendered object, with their owner. Every run reads the release; its objects are shared until they are collected. */
const known = new WeakMap<object, { readonly ownership: Ownership; readonly intent: Intent }>();

export function intentOf(rendered: Immutable<KubernetesObject>, ownership: Ownership): Intent {
  const before = known.get(rendered);
  if (before?.ownership.owner === ownership.owner && before.ownership.installation === ownership.installation) return before.intent;
  const intent = made(rendered, ownership);
  if (Object.isFrozen(rendered)) known.set(rendered, { ownership, intent });
  return intent;
}

function made(rendered: Immutable<KubernetesObject>, ownership: Ownership): Intent {
  const object = change<KubernetesObject>(rendered, (draft) => {
    const { name, namespace, labels, annotations, ownerReferences, finalizers } = draft.metadata;
    draft.metadata = present({
      name,
      namespace,
      annotations,
      ownerReferences,
      finalizers,
      labels: { ...labels, ...ownershipLabels(ownership) },
    });
    delete draft['status'];
  });
  const ref = refOf(object);
  return { ref, key: refKey(ref), object, hash: digestOf(object) };
}

function present(metadata: KubernetesObject['metadata']): KubernetesObject['metadata'] {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined));
}

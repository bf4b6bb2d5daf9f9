import type { Capability } from '../hooks/reconcile.js';
import type { KubernetesObject } from '../kubernetes.js';

/** Turns a volume into cluster objects. Pure. Asking for what `can` lacks is refused at admission, naming the classes that can. */
export interface StorageClassType {
  readonly description: string;
  readonly can: { readonly expand: boolean; readonly snapshot: boolean; readonly shared: boolean };
  readonly requires: readonly Capability[];
  claim(volume: { readonly name: string; readonly namespace: string; readonly sizeBytes: number }): readonly KubernetesObject[];
}

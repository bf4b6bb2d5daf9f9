import type { Capability } from '../hooks/reconcile.js';
import type { KubernetesObject } from '../kubernetes.js';

/** Converts a volume to cluster objects. Pure. Admission refuses a volume that needs what `can` lacks, naming the classes that have it. */
export interface StorageClassType {
  readonly description: string;
  readonly can: { readonly expand: boolean; readonly snapshot: boolean; readonly shared: boolean };
  readonly requires: readonly Capability[];
  claim(volume: { readonly name: string; readonly namespace: string; readonly sizeBytes: number }): readonly KubernetesObject[];
}

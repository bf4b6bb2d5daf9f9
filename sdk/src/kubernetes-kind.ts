import { attachDefinition } from './definitions.js';
import type { Column, Kind } from './kinds.js';

/** A kind whose whole object is described by an OpenAPI v3 schema, as Kubernetes' own are. */
export interface KubernetesKindDeclaration {
  readonly group: string;
  readonly kind: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly shortNames: readonly string[];
  readonly categories?: readonly string[];
  readonly description: string;
  /** Name of the object's schema in `schemas()`. */
  readonly schemaName: string;
  /** Component schemas by name; loaded when first asked for. */
  schemas(): Readonly<Record<string, object>>;
  readonly subresources: {
    readonly status: boolean;
    readonly scale?: { readonly replicasPath: string; readonly statusReplicasPath: string; readonly selectorPath?: string };
  };
  /** Verbs served; virtual kinds such as access reviews only know `create`. */
  readonly verbs: readonly string[];
  /** JSON paths of fields that may stand in field selectors besides metadata.name and metadata.namespace. */
  readonly fields?: readonly string[];
  readonly columns?: readonly Column[];
}

/** Makes the typed handle of a Kubernetes kind. */
export function kubernetesKind<O>(declaration: KubernetesKindDeclaration): Kind<unknown, unknown, O> {
  const { group, kind, version } = declaration;
  return Object.freeze(attachDefinition({ group, kind, version }, 'kubernetesKind', Object.freeze(declaration)));
}

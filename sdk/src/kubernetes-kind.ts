import { attachDefinition } from './definitions.js';
import type { Column, Kind } from './kinds.js';

/** The declaration of a kind whose whole object is described by an OpenAPI v3 schema, as with Kubernetes' own kinds. */
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
  /** Component schemas by name; loaded on first use. */
  schemas(): Readonly<Record<string, object>>;
  readonly subresources: {
    readonly status: boolean;
    readonly scale?: { readonly replicasPath: string; readonly statusReplicasPath: string; readonly selectorPath?: string };
  };
  /** The verbs that are served; virtual kinds such as access reviews only support `create`. */
  readonly verbs: readonly string[];
  /** JSON paths of fields that can be used in field selectors besides metadata.name and metadata.namespace. */
  readonly fields?: readonly string[];
  readonly columns?: readonly Column[];
  /** Callers of all tenants may read the objects where a role lets them, as with `isShared` of `defineKind`; cluster-scoped kinds only. */
  readonly isShared?: true;
}

/** Creates the typed handle of a Kubernetes kind. @throws TypeError when `isShared` is set and the kind is namespaced */
export function kubernetesKind<O>(declaration: KubernetesKindDeclaration): Kind<unknown, unknown, O> {
  const { group, kind, version, scope, isShared } = declaration;
  if (isShared && scope !== 'Cluster') throw new TypeError(`kind ${kind}: isShared is for cluster-scoped kinds; leave it out`);
  return Object.freeze(attachDefinition({ group, kind, version }, 'kubernetesKind', Object.freeze(declaration)));
}

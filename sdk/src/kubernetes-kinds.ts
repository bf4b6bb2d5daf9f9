import generated from './kubernetes-schemas.json' with { type: 'json' };

/** An OpenAPI v3 schema as kube-apiserver publishes them: references only as `$ref` or as the single member of `allOf`. */
export interface OpenApiSchema {
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, OpenApiSchema>>;
  readonly additionalProperties?: OpenApiSchema | boolean;
  readonly items?: OpenApiSchema;
  readonly allOf?: readonly OpenApiSchema[];
  readonly oneOf?: readonly OpenApiSchema[];
  readonly anyOf?: readonly OpenApiSchema[];
  readonly default?: unknown;
  readonly $ref?: string;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
  readonly 'x-kubernetes-patch-strategy'?: string;
  readonly 'x-kubernetes-patch-merge-key'?: string;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-group-version-kind'?: readonly { readonly group: string; readonly version: string; readonly kind: string }[];
  readonly [keyword: string]: unknown;
}

/** A subresource of a kind, with its own path, verbs and body kind. */
export interface KubernetesSubresource {
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

/** One kind as in API discovery; `schema` is the key of its schema in `kubernetesSchemas`. */
export interface KubernetesKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly KubernetesSubresource[];
  readonly schema: string;
}

// The document's own type would list every schema; this type describes the shape that all of them share.
const document = generated as {
  readonly version: string;
  readonly kinds: readonly KubernetesKind[];
  readonly schemas: Readonly<Record<string, OpenApiSchema>>;
};

/** The Kubernetes minor version that kinds and schemas were read from, such as `1.36`. */
export const kubernetesVersion: string = document.version;

/** The Kubernetes kinds that have a collection. They are data only: an engine that serves one must register it. */
export const kubernetesKinds: readonly KubernetesKind[] = document.kinds;

/**
 * Component schemas by their name in kube-apiserver's OpenAPI document, such as `io.k8s.api.apps.v1.Deployment`. Besides the kinds it
 * it contains the bodies of their subresources (Scale, Eviction, Binding, TokenRequest), DeleteOptions, Status and all they refer to.
 */
export const kubernetesSchemas: Readonly<Record<string, OpenApiSchema>> = document.schemas;

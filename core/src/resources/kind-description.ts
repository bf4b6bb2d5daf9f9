import { definitionOf } from '@tappaas/sdk/definitions';
import type { Column, KindDeclaration, KubernetesKindDeclaration, Type } from '@tappaas/sdk';
import type { OpenApiSchema } from '@tappaas/sdk/kubernetes';
import type { ServedKind } from '../ports/engine.js';
import { resourceErrors } from './errors.js';
import type { Conversion, KindRegistration, ScalePaths } from './kind-entry.js';
import { closureOf, componentsOf, schemaNameOf } from './kind-schema.js';

/** One version of a described kind. */
export interface VersionDescription {
  readonly version: string;
  readonly schemaName: string;
  readonly components: () => Readonly<Record<string, OpenApiSchema>>;
  readonly conversion?: Conversion;
  readonly deprecated?: ServedKind['deprecated'];
}

/** A kind in normalized form, whether it is one of ours, one of Kubernetes', or remembered from a plugin that is no longer loaded. */
export interface KindDescription {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly description: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly columns: readonly Column[];
  readonly verbs: readonly string[];
  readonly hasStatus: boolean;
  readonly scale: ScalePaths | undefined;
  readonly fields: readonly string[];
  readonly immutable: readonly string[];
  readonly owner?: ServedKind['owner'];
  readonly isShared?: true;
  readonly isKubernetes: boolean;
  /** Versions, with the stored version first. */
  readonly versions: readonly [VersionDescription, ...VersionDescription[]];
}

const objectVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** Describes the kind of a registration. @throws TAP_KIND_INVALID */
export function describeKind(registration: KindRegistration): KindDescription {
  const own = definitionOf(registration.kind, 'kind');
  if (own) return describeOwn(own, registration);
  const kubernetes = definitionOf(registration.kind, 'kubernetesKind');
  if (kubernetes) return describeKubernetes({ ...kubernetes, ...registration.extra });
  const { group, kind } = registration.kind;
  throw resourceErrors.TAP_KIND_INVALID({
    message: `kind ${kind} of group "${group}" from ${registration.plugin} was not made by defineKind or kubernetesKind`,
  });
}

function describeOwn(own: KindDeclaration<Type.TObject, Type.TObject>, { behaviour }: KindRegistration): KindDescription {
  const versionOf = (version: string, spec: Type.TObject): VersionDescription => {
    const parts = { ...own, version, spec };
    return { version, schemaName: schemaNameOf(parts), components: once(() => componentsOf(parts)) };
  };
  const others = (behaviour?.versions ?? []).map((other) => ({
    ...versionOf(other.version, other.spec),
    conversion: { toHub: (spec: unknown): unknown => other.toHub(spec), fromHub: (spec: unknown) => other.fromHub(spec) },
    ...(other.deprecated && { deprecated: other.deprecated }),
  }));
  return {
    group: own.group,
    kind: own.kind,
    plural: own.plural,
    singular: own.kind.toLowerCase(),
    scope: own.scope,
    description: own.description,
    shortNames: own.shortNames ?? [],
    categories: own.categories ?? [],
    columns: own.columns ?? [],
    verbs: objectVerbs,
    hasStatus: true,
    scale: own.scale,
    fields: own.fields ?? [],
    immutable: own.immutable ?? [],
    ...(own.owner && { owner: own.owner }),
    ...(own.isShared && { isShared: own.isShared }),
    isKubernetes: false,
    versions: [versionOf(own.version, own.spec), ...others],
  };
}

function describeKubernetes(declaration: KubernetesKindDeclaration): KindDescription {
  const { version, schemaName } = declaration;
  const components = once(() => closureOf(schemaName, declaration.schemas()));
  return {
    group: declaration.group,
    kind: declaration.kind,
    plural: declaration.plural,
    singular: declaration.singular,
    scope: declaration.scope,
    description: declaration.description,
    shortNames: declaration.shortNames,
    categories: declaration.categories ?? [],
    columns: declaration.columns ?? [],
    verbs: declaration.verbs,
    hasStatus: declaration.subresources.status,
    scale: declaration.subresources.scale,
    fields: declaration.fields ?? [],
    immutable: [],
    ...(declaration.isShared && { isShared: declaration.isShared }),
    isKubernetes: true,
    versions: [{ version, schemaName, components }],
  };
}

/** Memoizes a schema, which is large and often not needed. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

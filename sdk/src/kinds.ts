import type { Static, TObject } from 'typebox';
import { attachDefinition } from './definitions.js';
import type { OwnerReference } from './kubernetes.js';
import type { Immutable, Strings, Sync } from './values.js';
import type { Denial } from './hooks/admission.js';

/**
 * Metadata of an object; `generation` rises with the spec, `resourceVersion` with every write. Cluster-scoped objects have no namespace.
 */
export type Meta = Readonly<{
  name: string;
  namespace: string;
  uid: string;
  generation: number;
  resourceVersion: string;
  creationTimestamp: string;
  labels?: Strings;
  annotations?: Strings;
  deletionTimestamp?: string;
  ownerReferences?: readonly Immutable<OwnerReference>[];
}>;

/** An object of a kind: `spec` is the desired state, `status` the present one. */
export interface Resource<S, T> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Meta;
  readonly spec: S;
  readonly status?: T;
}

/**
 * A typed handle of a kind. Export it from the package's `./contract` entry, the only entry that other plugins may import.
 *
 * `O` is the object's type if it does not consist of spec and status, as with Kubernetes' ConfigMap.
 */
export interface Kind<S = unknown, T = unknown, O = Resource<S, T>> {
  readonly group: string;
  readonly kind: string;
  readonly version: string;
  readonly '~types'?: O;
}

/** A handle of any kind. */
export type AnyKind = Kind<unknown, unknown, unknown>;

/** The object type of a kind. */
export type ObjectOf<K extends AnyKind> = NonNullable<K['~types']>;

/** The spec type of a kind; `unknown` for objects that have none. */
export type SpecOf<K extends AnyKind> = ObjectOf<K> extends { readonly spec: infer S } ? S : unknown;

/** The status type of a kind; `object` for objects that have none. */
export type StatusOf<K extends AnyKind> = ObjectOf<K> extends { readonly status?: infer T } ? NonNullable<T> : object;

/** Identifies one object of a kind; cluster-scoped kinds leave out the namespace. */
export interface Key {
  readonly namespace?: string;
  readonly name: string;
}

/** Path of a field below `spec`, with dots between names: `spec.source.git.url`. */
export type SpecPath = `spec.${string}`;

/** A column of `Table` output, as kubectl and the CLI show it; `wide` columns only on demand. */
export interface Column {
  readonly name: string;
  /** JSONPath below the object, such as `.status.release`. */
  readonly path: string;
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly description?: string;
  readonly wide?: boolean;
}

/** A plugin's declaration of a kind; it is the source of routes, OpenAPI, GraphQL types, CLI columns and reference docs. */
export interface KindDeclaration<S extends TObject, T extends TObject> {
  /** An API group under a domain of the author, such as `apps.tappaas.dev`. */
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly version: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly description: string;
  readonly spec: S;
  readonly status: T;
  /** Fields that no update may change. */
  readonly immutable?: readonly SpecPath[];
  /** Fields that are indexed and can be used in field selectors. */
  readonly fields?: readonly SpecPath[];
  /**
   * For cluster-scoped kinds whose objects belong to users: the fields that name the user and the tenant, both among `fields`. A role's
   * grant then covers only the caller's own objects, and those of the whole tenant if a role lets the caller `administer` the kind.
   * Without `user`, objects belong to the whole tenant: all its members can read them, whatever roles say, and none of them can write them.
   */
  readonly owner?: { readonly user?: SpecPath; readonly tenant: SpecPath };
  /**
   * For cluster-scoped kinds that are the same for all tenants and hold nothing of any of them, such as classes to choose from: callers of
   * tenants may read the objects where a role lets them. Absent: none of them can, whatever roles say, unless the kind has an `owner`.
   */
  readonly isShared?: true;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  /** Adds the scale subresource. */
  readonly scale?: { readonly replicasPath: SpecPath };
  readonly columns?: readonly Column[];
}

/**
 * Declares a kind. Spec and status are closed (an unknown key is answered with 400), and defaults are filled in on decoding, before any
 * hook.
 *
 * @throws TypeError when a schema is an Intersect, which cannot be closed; when `isShared` does not fit scope or owner.
 * @example
 * ```ts
 * export const Budget = defineKind({
 *   group: 'billing.acme.dev', kind: 'Budget', plural: 'budgets', version: 'v1alpha1', scope: 'Namespaced',
 *   description: 'What a project may cost.',
 *   spec: Type.Object({ monthlyEuro: Type.Number({ minimum: 0 }) }),
 *   status: Type.Object({}),
 * });
 * ```
 */
export function defineKind<S extends TObject, T extends TObject>(declaration: KindDeclaration<S, T>): Kind<Static<S>, Static<T>> {
  for (const part of [declaration.spec, declaration.status]) refuseIntersect(part, declaration.kind);
  const { group, kind, version, scope, owner, isShared } = declaration;
  if (isShared && (scope !== 'Cluster' || owner !== undefined)) {
    throw new TypeError(`kind ${kind}: isShared is for cluster-scoped kinds whose objects have no owner; leave one of them out`);
  }
  return Object.freeze(attachDefinition({ group, kind, version }, 'kind', Object.freeze({ ...declaration })));
}

function refuseIntersect(schema: unknown, kind: string): void {
  if (typeof schema !== 'object' || schema === null) return;
  if ('allOf' in schema) throw new TypeError(`kind ${kind}: a closed schema cannot be an Intersect; merge the objects with Type.Composite`);
  for (const part of Object.values(schema)) refuseIntersect(part, kind);
}

/** A further served version of a kind; `toHub` and `fromHub` must round-trip, which the conformance suite tests. */
export interface KindVersion<K extends AnyKind> {
  readonly version: string;
  readonly spec: TObject;
  /** `since`: an ISO 8601 date, sent to clients in the header `Deprecation`, or a release; `removedAfter`: a date, sent in `Sunset`. */
  readonly deprecated?: { readonly since: string; readonly removedAfter: string; readonly instead: string };
  toHub(spec: unknown): SpecOf<K>;
  fromHub(spec: Immutable<SpecOf<K>>): unknown;
}

/** The code of a kind: pure functions, each ≤ 1 ms. */
export interface KindBehaviour<K extends AnyKind> {
  /** Fills in defaults that a schema cannot express, on create and update, before any hook; applying it twice must change nothing more. */
  default?(draft: ObjectOf<K>, previous: Immutable<ObjectOf<K>> | undefined): Sync;
  /** Checks rules across fields; all denials are reported together. */
  check?(object: Immutable<ObjectOf<K>>, previous?: Immutable<ObjectOf<K>>): readonly Denial[];
  readonly versions?: readonly KindVersion<K>[];
}

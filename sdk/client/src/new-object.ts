import type { AnyKind, ApplyFields, ObjectOf, Strings } from '@tappaas/sdk';

/** The metadata of a new object. */
export interface NewMetadata {
  /** Namespace; only for namespaced kinds. */
  readonly namespace?: string;
  readonly name?: string;
  /** Prefix of the name, instead of `name`: the platform completes it to a unique name. */
  readonly generateName?: string;
  readonly labels?: Strings;
  readonly annotations?: Strings;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly object[];
}

/** An object to create: its metadata and the fields of its kind; the platform fills in defaults. */
export type NewObject<K extends AnyKind> = { readonly metadata: NewMetadata } & FieldsOf<ObjectOf<K>>;

/** The fields of an object; any field for kinds whose objects have no known type. */
type FieldsOf<O> = [keyof O] extends [never]
  ? Readonly<Record<string, unknown>>
  : string extends keyof O
    ? Readonly<Record<string, unknown>>
    : Omit<ApplyFields<O>, 'metadata' | 'labels' | 'annotations' | 'status'>;

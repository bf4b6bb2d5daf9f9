import type { AnyKind, ApplyFields, ObjectOf, Strings } from '@tappaas/sdk';

/** What the metadata of a new object may say. */
export interface NewMetadata {
  /** Of kinds that lie in one. */
  readonly namespace?: string;
  readonly name?: string;
  /** In place of `name`: begins it, and the platform ends it so that there is no other. */
  readonly generateName?: string;
  readonly labels?: Strings;
  readonly annotations?: Strings;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly object[];
}

/** An object to be created: its metadata and the fields of its kind; the platform fills in what has a default. */
export type NewObject<K extends AnyKind> = { readonly metadata: NewMetadata } & FieldsOf<ObjectOf<K>>;

/** Of a kind whose objects have no known type, any field. */
type FieldsOf<O> = [keyof O] extends [never]
  ? Readonly<Record<string, unknown>>
  : string extends keyof O
    ? Readonly<Record<string, unknown>>
    : Omit<ApplyFields<O>, 'metadata' | 'labels' | 'annotations' | 'status'>;

import { freezeDeep, type Awaitable, type KeyValue } from '@tappaas/sdk';
import type { JsonObject } from './schema/json-value.js';
import { resourceVersionOf } from './resource-version.js';

/** A claim that an object holds, as it was written with it. */
export type HeldClaim = { readonly unique: string } | { readonly counter: string; readonly amount: number };

/** Which plugin changed which fields on the way into the store; paths, never values. */
export interface Attribution {
  readonly plugin: string;
  readonly operation: string;
  readonly time: string;
  readonly paths: readonly string[];
}

/** What lies in the store beside an object and is never served with it. */
export interface Side {
  readonly claims: readonly HeldClaim[];
  readonly attribution: readonly Attribution[];
}

/** Hides the stored bytes of confidential kinds; associated data binds them to their key and object. */
export interface Sealer {
  seal(plain: Uint8Array, binding: { readonly key: string; readonly uid: string }): Awaitable<Uint8Array>;
  open(sealed: Uint8Array, key: string): Awaitable<Uint8Array>;
}

/** Metadata as the engine relies on it; everything stored has passed validation. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly JsonObject[];
}

/** Who an object belongs to; the uid decides, the name is for people. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** An object as it is stored and served. */
export type Body = JsonObject & { readonly apiVersion: string; readonly kind: string; readonly metadata: ObjectMeta };

const text = new TextEncoder();
const nothing: Side = Object.freeze({ claims: [], attribution: [] });

/**
 * One object at one revision: frozen, shared by all readers. Its bytes are made when somebody wants them and shared from then on; they
 * are held weakly, so that of many objects only those that are read cost memory twice (docs/decisions/0005).
 */
export class StoredObject {
  readonly object: Body;
  /** 0 for what a dry run made: it has no version. */
  readonly revision: number;
  readonly resourceVersion: string;
  readonly side: Side;
  #bytes: WeakRef<Uint8Array> | undefined;

  constructor(object: Body, revision: number | undefined, epoch: number, side: Side = nothing) {
    this.revision = revision ?? 0;
    this.resourceVersion = revision === undefined ? '' : resourceVersionOf(epoch, revision);
    this.side = side;
    const { resourceVersion: _, ...metadata } = object.metadata;
    this.object = freezeDeep({
      ...object,
      metadata: { ...metadata, ...(revision !== undefined && { resourceVersion: this.resourceVersion }) },
    });
  }

  /** The object as it goes over the wire. */
  get bytes(): Uint8Array {
    const known = this.#bytes?.deref();
    if (known) return known;
    const made = text.encode(JSON.stringify(this.object));
    this.#bytes = new WeakRef(made);
    return made;
  }

  /** The same state under another revision, as a watcher is told of a deletion. */
  at(revision: number, epoch: number): StoredObject {
    return new StoredObject(this.object, revision, epoch, this.side);
  }
}

/** The bytes that the store keeps: the object without its resourceVersion, which is the store's to say, and its side. */
export function toStore(object: Body, side: Side): Uint8Array {
  const { resourceVersion: _, ...metadata } = object.metadata;
  const claims = side.claims.length > 0 ? side.claims : undefined;
  const attribution = side.attribution.length > 0 ? side.attribution : undefined;
  return text.encode(JSON.stringify({ object: { ...object, metadata }, claims, attribution }));
}

/** Reads what {@link toStore} wrote. */
export function fromStore(value: Uint8Array, stored: Pick<KeyValue, 'modRevision'>, epoch: number): StoredObject {
  const record = JSON.parse(new TextDecoder().decode(value)) as { object: Body } & Partial<Side>;
  const side = record.claims || record.attribution ? { claims: record.claims ?? [], attribution: record.attribution ?? [] } : nothing;
  return new StoredObject(record.object, stored.modRevision, epoch, freezeDeep(side));
}

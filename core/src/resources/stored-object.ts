import { freezeDeep, type Awaitable, type KeyValue } from '@tappaas/sdk';
import type { JsonObject } from './schema/json-value.js';
import { ManagedText, TextPatterns } from './managed-text.js';
import { readText, textOf, versionedText, wholeText, type ObjectText } from './object-text.js';
import { resourceVersionOf } from './resource-version.js';

/** A claim that an object holds, stored together with it. */
export type HeldClaim = { readonly unique: string } | { readonly counter: string; readonly amount: number };

/** Which plugin changed which fields during admission; paths, never values. */
export interface Attribution {
  readonly plugin: string;
  readonly operation: string;
  readonly time: string;
  readonly paths: readonly string[];
}

/** Data stored beside an object and never served with it. */
export interface Side {
  readonly claims: readonly HeldClaim[];
  readonly attribution: readonly Attribution[];
}

/** Seals the stored bytes of confidential kinds; associated data binds them to their key and object. */
export interface Sealer {
  seal(plain: Uint8Array, binding: { readonly key: string; readonly uid: string }): Awaitable<Uint8Array>;
  open(sealed: Uint8Array, key: string): Awaitable<Uint8Array>;
}

/**
 * Metadata as the engine relies on it; everything stored has passed validation. A type rather than an interface, so that it is assignable
 * to JsonObject.
 */
export type ObjectMeta = {
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
};

/** Reference to an owner; the uid identifies it, the name is for people. */
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

const encoder = new TextEncoder();
/** Shared by all objects of the process, because kinds and engines have the same managers. */
const patterns = new TextPatterns();
const nothing: Side = Object.freeze({ claims: Object.freeze([]), attribution: Object.freeze([]) });

/**
 * One object at one revision: frozen, and shared by all readers.
 *
 * A cached object is kept as text, which takes half the memory. The object and its bytes are created on demand, and shared until memory is
 * needed elsewhere (docs/decisions/0090). An object made for a single response keeps its parsed form.
 */
export class StoredObject {
  /** 0 for the result of a dry run, which has no version. */
  readonly revision: number;
  readonly resourceVersion: string;
  readonly side: Side;
  /** The text without the managed fields. */
  readonly #lean: string | undefined;
  readonly #managed: ManagedText | undefined;
  readonly #kept: Body | undefined;
  #object: WeakRef<Body> | undefined;
  #leanObject: WeakRef<Body> | undefined;
  #bytes: WeakRef<Uint8Array> | undefined;

  /** @param content the object, or its text as {@link textOf} writes it; with both, the text must be that of the object */
  constructor(
    content: { readonly object?: Body | undefined; readonly text?: ObjectText },
    revision: number | undefined,
    epoch: number,
    side: Side = nothing,
  ) {
    this.revision = revision ?? 0;
    this.resourceVersion = revision === undefined ? '' : resourceVersionOf(epoch, revision);
    this.side = side;
    this.#lean = content.text?.lean;
    this.#managed = content.text?.managed ? new ManagedText(content.text.managed, patterns) : undefined;
    if (content.object === undefined) return;
    const object = this.#frozen(content.object);
    if (content.text === undefined) this.#kept = object;
    else this.#object = new WeakRef(object);
  }

  get object(): Body {
    const known = this.#kept ?? this.#object?.deref();
    if (known) return known;
    const made = this.#frozen(JSON.parse(wholeText(this.#text)) as Body);
    this.#object = new WeakRef(made);
    return made;
  }

  /** The object without its managed fields, for all readers that do not modify it. */
  get lean(): Body {
    const known = this.#leanObject?.deref();
    if (known) return known;
    const whole = this.#kept ?? this.#object?.deref();
    const made = this.#frozen(whole === undefined ? (JSON.parse(this.#lean ?? '') as Body) : leanOf(whole));
    this.#leanObject = new WeakRef(made);
    return made;
  }

  /** The object as it goes over the wire. */
  get bytes(): Uint8Array {
    const known = this.#bytes?.deref();
    if (known) return known;
    const made = encoder.encode(this.#lean === undefined ? JSON.stringify(this.object) : versionedText(this.#text, this.resourceVersion));
    this.#bytes = new WeakRef(made);
    return made;
  }

  /** Returns the same state under another revision, as sent to watchers for a deletion. */
  at(revision: number, epoch: number): StoredObject {
    const content = this.#lean === undefined ? { object: this.object } : { text: this.#text };
    return new StoredObject(content, revision, epoch, this.side);
  }

  get #text(): ObjectText {
    return { lean: this.#lean ?? '', managed: this.#managed?.toString() ?? '' };
  }

  #frozen({ apiVersion, kind, metadata: found, ...rest }: Body): Body {
    const { resourceVersion: _, ...metadata } = found;
    const version = this.resourceVersion === '' ? {} : { resourceVersion: this.resourceVersion };
    return freezeDeep({ apiVersion, kind, metadata: { ...version, ...metadata }, ...rest });
  }
}

function leanOf(object: Body): Body {
  const { managedFields, ...metadata } = object.metadata;
  return managedFields === undefined ? object : { ...object, metadata };
}

/** Serializes the text of an object and its side data for the store. */
export function toStore(text: ObjectText, { claims, attribution }: Side): Uint8Array {
  const claimed = claims.length > 0 ? `,"claims":${JSON.stringify(claims)}` : '';
  const attributed = attribution.length > 0 ? `,"attribution":${JSON.stringify(attribution)}` : '';
  return encoder.encode(`${recordHead}${wholeText(text)}${claimed}${attributed}}`);
}

/** Parses the bytes of {@link toStore}. */
export function fromStore(value: Uint8Array, stored: Pick<KeyValue, 'modRevision'>, epoch: number): StoredObject {
  const record = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  // Claims and attribution are lists, so a record that ends in two braces has neither and need not be parsed now.
  const isPlain = record.toString('latin1', 0, recordHead.length) === recordHead && record.toString('latin1', record.length - 2) === '}}';
  const text = isPlain ? readText(record, recordHead.length, record.length - 1) : undefined;
  if (text !== undefined) return new StoredObject({ text }, stored.modRevision, epoch);
  const { object, claims = [], attribution = [] } = JSON.parse(record.toString()) as { object: Body } & Partial<Side>;
  const side = claims.length + attribution.length === 0 ? nothing : freezeDeep({ claims, attribution });
  return new StoredObject({ object, text: textOf(object) }, stored.modRevision, epoch, side);
}

const recordHead = '{"object":';

import { freezeDeep, type Awaitable, type KeyValue } from '@tappaas/sdk';
import type { JsonObject } from './schema/json-value.js';
import { ManagedText, TextPatterns } from './managed-text.js';
import { readText, textOf, versionedText, wholeText, type ObjectText } from './object-text.js';
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

/**
 * Metadata as the engine relies on it; everything stored has passed validation. A type, and no interface, so that it is an object of JSON
 * too.
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

const encoder = new TextEncoder();
/** One for all objects of the process: kinds and engines have the same managers. */
const patterns = new TextPatterns();
const nothing: Side = Object.freeze({ claims: Object.freeze([]), attribution: Object.freeze([]) });

/**
 * One object at one revision: frozen, shared by all readers.
 *
 * What is cached is kept as text, which is half of what the object takes; the object and its bytes are made when somebody
 * wants them and shared for as long as memory is not wanted elsewhere (docs/decisions/0090). What is made to be answered once keeps its object.
 */
export class StoredObject {
  /** 0 for what a dry run made: it has no version. */
  readonly revision: number;
  readonly resourceVersion: string;
  readonly side: Side;
  /** The text without its managed fields. */
  readonly #lean: string | undefined;
  readonly #managed: ManagedText | undefined;
  readonly #kept: Body | undefined;
  #object: WeakRef<Body> | undefined;
  #leanObject: WeakRef<Body> | undefined;
  #bytes: WeakRef<Uint8Array> | undefined;

  /** @param content the object, or its text as {@link textOf} writes it; with both, the object is the one that the text was made of */
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

  /** The object without its managed fields, for everybody who does not write it. */
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

  /** The same state under another revision, as a watcher is told of a deletion. */
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

/** The bytes that the store keeps: the text of an object and its side. */
export function toStore(text: ObjectText, { claims, attribution }: Side): Uint8Array {
  const claimed = claims.length > 0 ? `,"claims":${JSON.stringify(claims)}` : '';
  const attributed = attribution.length > 0 ? `,"attribution":${JSON.stringify(attribution)}` : '';
  return encoder.encode(`${recordHead}${wholeText(text)}${claimed}${attributed}}`);
}

/** Reads what {@link toStore} wrote. */
export function fromStore(value: Uint8Array, stored: Pick<KeyValue, 'modRevision'>, epoch: number): StoredObject {
  const record = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  // Claims and attribution are lists: a record that ends in two braces has neither, and nothing of it needs to be parsed now.
  const isPlain = record.toString('latin1', 0, recordHead.length) === recordHead && record.toString('latin1', record.length - 2) === '}}';
  const text = isPlain ? readText(record, recordHead.length, record.length - 1) : undefined;
  if (text !== undefined) return new StoredObject({ text }, stored.modRevision, epoch);
  const { object, claims = [], attribution = [] } = JSON.parse(record.toString()) as { object: Body } & Partial<Side>;
  const side = claims.length + attribution.length === 0 ? nothing : freezeDeep({ claims, attribution });
  return new StoredObject({ object, text: textOf(object) }, stored.modRevision, epoch, side);
}

const recordHead = '{"object":';

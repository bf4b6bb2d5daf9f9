import { freezeDeep, type Immutable } from '@tappaas/sdk';
import type { CachedObject } from './source.js';

/** An object as stored by a cache. Reading it always returns the same frozen state, but not always the same reference. */
export interface StoredForm<T> {
  readonly object: Immutable<T>;
}

/** Chooses how an object of a source is stored; `project` returns the part of it to keep. */
export type Keep<T> = (item: T, project: (object: T) => T) => StoredForm<T>;

/** Keeps the object itself, for kinds that are read constantly or are small. */
export function keepWhole<T extends CachedObject>(item: T, project: (object: T) => T): StoredForm<T> {
  return { object: freezeDeep(project(item)) };
}

/** A text that may share parts with others, and so take less memory than its characters. */
export interface SharedText {
  toString(): string;
}

/**
 * Keeps the object as text, which takes a third of the memory; it is parsed when read, and shared until memory is needed elsewhere. `share`
 * stores the text of managed fields, which similar objects have mostly in common; default: unchanged.
 */
export function keepPacked<T extends CachedObject>(share: (text: string) => SharedText = (text) => text): Keep<T> {
  return (item, project) => new Packed(freezeDeep(project(item)), share);
}

type Metadata = CachedObject['metadata'] & { readonly managedFields?: unknown };

class Packed<T extends CachedObject> implements StoredForm<T> {
  /** The text without managed fields. */
  readonly #text: string;
  readonly #managed: SharedText | undefined;
  #object: WeakRef<Immutable<T> & WeakKey>;

  constructor(object: Immutable<T>, share: (text: string) => SharedText) {
    const { managedFields, ...metadata } = object.metadata as Metadata;
    this.#text = JSON.stringify({ ...object, metadata });
    this.#managed = managedFields === undefined ? undefined : share(JSON.stringify(managedFields));
    this.#object = new WeakRef(object);
  }

  get object(): Immutable<T> {
    const known = this.#object.deref();
    if (known !== undefined) return known;
    const made = freezeDeep(this.#made()) as Immutable<T> & WeakKey;
    this.#object = new WeakRef(made);
    return made;
  }

  #made(): T {
    const object = JSON.parse(this.#text) as T;
    if (this.#managed === undefined) return object;
    return { ...object, metadata: { ...object.metadata, managedFields: JSON.parse(this.#managed.toString()) as unknown } };
  }
}

/** An object that another component keeps anyway: readers get `lean`, or else `object`. */
export interface Place<T> {
  readonly object: T;
  readonly lean?: T;
}

/** Keeps a reference to another component's storage. The place must not retain the object itself. */
export function keepElsewhere<T extends CachedObject>(placeOf: (item: T) => Place<T>): Keep<T> {
  return (item) => new Elsewhere(placeOf(item));
}

class Elsewhere<T> implements StoredForm<T> {
  readonly #place: Place<T>;

  constructor(place: Place<T>) {
    this.#place = place;
  }

  get object(): Immutable<T> {
    return freezeDeep(this.#place.lean ?? this.#place.object);
  }
}

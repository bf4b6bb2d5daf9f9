import { freezeDeep, type Immutable } from '@tappaas/sdk';
import type { CachedObject } from './source.js';

/** An object as a cache keeps it. Reading it gives the same state every time, frozen, though not always the same reference. */
export interface Kept<T> {
  readonly object: Immutable<T>;
}

/** Chooses how an object of a source is kept; `project` gives what is kept of it. */
export type Keep<T> = (item: T, project: (object: T) => T) => Kept<T>;

/** As it is: for what is read all the time, or is small. */
export function keepWhole<T extends CachedObject>(item: T, project: (object: T) => T): Kept<T> {
  return { object: freezeDeep(project(item)) };
}

/** A text that may take less memory than its characters, since others have parts of it in common. */
export interface SharedText {
  toString(): string;
}

/**
 * As text, which takes a third of the memory; the object is made when it is read, and shared while memory is not wanted elsewhere. `share`
 * keeps the text of managed fields, of which like objects have most in common; default: as it is.
 */
export function keepPacked<T extends CachedObject>(share: (text: string) => SharedText = (text) => text): Keep<T> {
  return (item, project) => new Packed(freezeDeep(project(item)), share);
}

type Metadata = CachedObject['metadata'] & { readonly managedFields?: unknown };

class Packed<T extends CachedObject> implements Kept<T> {
  /** Without managed fields. */
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

/** Where somebody else keeps an object: `lean`, or `object` where there is none, is what is to be read. */
export interface Place<T> {
  readonly object: T;
  readonly lean?: T;
}

/** Where somebody else keeps the object anyway. A place must not hold on to the object itself. */
export function keepElsewhere<T extends CachedObject>(placeOf: (item: T) => Place<T>): Keep<T> {
  return (item) => new Elsewhere(placeOf(item));
}

class Elsewhere<T> implements Kept<T> {
  readonly #place: Place<T>;

  constructor(place: Place<T>) {
    this.#place = place;
  }

  get object(): Immutable<T> {
    return freezeDeep(this.#place.lean ?? this.#place.object);
  }
}

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

/** As text, which takes a third of the memory; the object is made when it is read, and shared while memory is not wanted elsewhere. */
export function keepPacked<T extends CachedObject>(item: T, project: (object: T) => T): Kept<T> {
  return new Packed(freezeDeep(project(item)));
}

class Packed<T> implements Kept<T> {
  readonly #text: string;
  #object: WeakRef<Immutable<T> & WeakKey>;

  constructor(object: Immutable<T>) {
    this.#text = JSON.stringify(object);
    this.#object = new WeakRef(object as Immutable<T> & WeakKey);
  }

  get object(): Immutable<T> {
    const known = this.#object.deref();
    if (known !== undefined) return known;
    const made = freezeDeep(JSON.parse(this.#text) as T) as Immutable<T> & WeakKey;
    this.#object = new WeakRef(made);
    return made;
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

import { memberType, type FieldType } from '../schema/field-type.js';
import { equalJson, isJsonObject, memberOf } from '../schema/json-value.js';
import { itemsByElement } from './keyed-items.js';
import { member, type PathElement } from './path-element.js';
import { isEmpty, PathSetBuilder, without, type PathSet } from './path-set.js';
import { anything, structureOf, type Structure } from './structure.js';

/** The difference between two values of a type. An added or removed container is counted together with its content. */
export interface Comparison {
  readonly added: PathSet;
  readonly removed: PathSet;
  readonly modified: PathSet;
}

/** Compares two objects by structure: an atomic list or map differs as a whole, a keyed list by item regardless of order. */
export function compare(type: FieldType, left: unknown, right: unknown): Comparison {
  const walk = new Walk();
  walk.visit(type, left, right, []);
  return { added: walk.added.build(), removed: walk.removed.build(), modified: walk.modified.build() };
}

export const isSame = (comparison: Comparison): boolean =>
  isEmpty(comparison.added) && isEmpty(comparison.removed) && isEmpty(comparison.modified);

/** Returns the comparison without paths at or below `ignored`. */
export function exclude(comparison: Comparison, ignored: PathSet): Comparison {
  return {
    added: without(comparison.added, ignored),
    removed: without(comparison.removed, ignored),
    modified: without(comparison.modified, ignored),
  };
}

type Path = readonly PathElement[];

class Walk {
  readonly added = new PathSetBuilder();
  readonly removed = new PathSetBuilder();
  readonly modified = new PathSetBuilder();

  visit(type: FieldType, left: unknown, right: unknown, path: Path): void {
    if (left === right) return;
    const [before, after] = [shapeOf(type, left), shapeOf(type, right)];
    if (before !== undefined && after !== undefined && before !== after) this.#changeOfShape(type, left, right, path);
    else if (!this.#parts(before ?? after, type, left, right, path)) this.#leaf(left, right, path);
    else if (left === undefined) this.added.add(path);
    else if (right === undefined) this.removed.add(path);
  }

  /** Handles a change between leaf and container: the parts of the container are added or removed, and the place itself is modified. */
  #changeOfShape(type: FieldType, left: unknown, right: unknown, path: Path): void {
    this.#parts(shapeOf(type, left), type, left, undefined, path);
    this.#parts(shapeOf(type, right), type, undefined, right, path);
    this.modified.add(path);
  }

  /** Compares part by part; returns false where there are no parts, so that the place is a leaf. */
  #parts(structure: Structure | undefined, type: FieldType, left: unknown, right: unknown, path: Path): boolean {
    if (structure === 'list') return this.#items(type, left, right, path);
    return structure === 'map' && this.#members(type, left, right, path);
  }

  #leaf(left: unknown, right: unknown, path: Path): void {
    if (left === undefined) this.added.add(path);
    else if (right === undefined) this.removed.add(path);
    else if (!equalJson(left, right)) this.modified.add(path);
  }

  /** Compares members by name; returns false when neither side has any. */
  #members(type: FieldType, left: unknown, right: unknown, path: Path): boolean {
    const names = new Set([...(isJsonObject(left) ? Object.keys(left) : []), ...(isJsonObject(right) ? Object.keys(right) : [])]);
    for (const name of names) {
      this.visit(memberType(type, name) ?? anything, memberOf(left, name), memberOf(right, name), [...path, member(name)]);
    }
    return names.size > 0;
  }

  /** Compares items by key; returns false when there are none, or when an item has no key and the list must be compared as a whole. */
  #items(type: FieldType, left: unknown, right: unknown, path: Path): boolean {
    if (sizeOf(left) + sizeOf(right) === 0) return false;
    const [before, after] = [itemsByElement(type, left), itemsByElement(type, right)];
    if (before === undefined || after === undefined) return false;
    for (const element of new Set([...before.keys(), ...after.keys()])) {
      this.#sameKey(type.items, before.get(element) ?? [], after.get(element) ?? [], [...path, element]);
    }
    return true;
  }

  /**
   * Compares the items of one key. Duplicates form one leaf; where they become a single item, or the reverse, all of its content is new.
   */
  #sameKey(type: FieldType, was: readonly unknown[], is: readonly unknown[], path: Path): void {
    if (was.length <= 1 && is.length <= 1) this.visit(type, was[0], is[0], path);
    else if (was.length > 1 && is.length > 1) this.#leaf(was, is, path);
    else if (was.length > 1) {
      this.visit(type, undefined, is[0], path);
      this.removed.add(path);
    } else {
      this.visit(type, was[0], undefined, path);
      this.added.add(path);
    }
  }
}

/** Returns the structure of a value; undefined for null, which takes the structure of the other side. */
function shapeOf(type: FieldType, value: unknown): Structure | undefined {
  return value === undefined || value === null ? undefined : structureOf(type, value);
}

function sizeOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

import type { FieldType } from '../schema/field-type.js';
import { elementType, type PathElement } from './path-element.js';

/** A set of paths as a tree. A path may be a member and have members below it. */
export interface PathSet {
  readonly members: ReadonlySet<PathElement>;
  readonly children: ReadonlyMap<PathElement, PathSet>;
}

export const emptySet: PathSet = Object.freeze({ members: new Set<PathElement>(), children: new Map<PathElement, PathSet>() });

/** Collects paths. */
export class PathSetBuilder {
  readonly #members = new Set<PathElement>();
  readonly #children = new Map<PathElement, PathSetBuilder>();

  /** Adds a path. The empty path, which is the whole object, is ignored because it has no owner. */
  add(path: readonly PathElement[]): void {
    const last = path.at(-1);
    if (last !== undefined) path.slice(0, -1).reduce<PathSetBuilder>((builder, element) => builder.child(element), this).#members.add(last);
  }

  /** Returns the builder for the paths below `element`. */
  child(element: PathElement): PathSetBuilder {
    const found = this.#children.get(element) ?? new PathSetBuilder();
    this.#children.set(element, found);
    return found;
  }

  build(): PathSet {
    const children = [...this.#children].map(([element, builder]) => [element, builder.build()] as const);
    return pathSet(this.#members, new Map(children));
  }
}

/** Makes a set without empty children. */
export function pathSet(members: ReadonlySet<PathElement>, children: ReadonlyMap<PathElement, PathSet>): PathSet {
  const kept = new Map([...children].filter(([, child]) => !isEmpty(child)));
  return members.size === 0 && kept.size === 0 ? emptySet : { members, children: kept };
}

export const isEmpty = (set: PathSet): boolean => set.members.size === 0 && set.children.size === 0;

/** Returns the union; `left` itself when it contains `right` already. */
export function union(left: PathSet, right: PathSet): PathSet {
  if (isEmpty(left)) return right;
  if (includes(left, right)) return left;
  const children = new Map(left.children);
  for (const [element, child] of right.children) children.set(element, union(children.get(element) ?? emptySet, child));
  return pathSet(new Set([...left.members, ...right.members]), children);
}

function includes(left: PathSet, right: PathSet): boolean {
  for (const element of right.members) if (!left.members.has(element)) return false;
  for (const [element, child] of right.children) if (!includes(left.children.get(element) ?? emptySet, child)) return false;
  return true;
}

export function intersection(left: PathSet, right: PathSet): PathSet {
  const children = new Map<PathElement, PathSet>();
  for (const [element, child] of left.children) {
    const other = right.children.get(element);
    if (other !== undefined) children.set(element, intersection(child, other));
  }
  return pathSet(new Set([...left.members].filter((element) => right.members.has(element))), children);
}

/**
 * Returns the paths of `left` that are not in `right`; paths below one of `right` stay. Returns `left` itself when they have none in
 * common.
 */
export function difference(left: PathSet, right: PathSet): PathSet {
  if (isEmpty(right)) return left;
  const children = new Map<PathElement, PathSet>();
  let differs = false;
  for (const [element, child] of left.children) {
    const kept = difference(child, right.children.get(element) ?? emptySet);
    children.set(element, kept);
    differs ||= kept !== child;
  }
  for (const element of right.members) differs ||= left.members.has(element);
  return differs ? pathSet(new Set([...left.members].filter((element) => !right.members.has(element))), children) : left;
}

/** Returns the paths of `left` that are neither in `right` nor below a path of it. */
export function without(left: PathSet, right: PathSet): PathSet {
  if (isEmpty(right)) return left;
  const children = new Map<PathElement, PathSet>();
  for (const [element, child] of left.children) {
    if (!right.members.has(element)) children.set(element, without(child, right.children.get(element) ?? emptySet));
  }
  return pathSet(new Set([...left.members].filter((element) => !right.members.has(element))), children);
}

export function equalSets(left: PathSet, right: PathSet): boolean {
  if (left === right) return true;
  if (left.members.size !== right.members.size || left.children.size !== right.children.size) return false;
  for (const element of left.members) if (!right.members.has(element)) return false;
  for (const [element, child] of left.children) {
    const other = right.children.get(element);
    if (other === undefined || !equalSets(child, other)) return false;
  }
  return true;
}

/** Lists all paths, sorted; members of a level come before the paths below them, as in kube-apiserver. */
export function pathsOf(set: PathSet, prefix: readonly PathElement[] = []): readonly (readonly PathElement[])[] {
  const members = [...set.members].sort().map((element) => [...prefix, element]);
  const below = [...set.children].sort(([left], [right]) => (left < right ? -1 : 1));
  return [...members, ...below.flatMap(([element, child]) => pathsOf(child, [...prefix, element]))];
}

/** Adds every schema-named member that has only descendants in the set, so that removing its last part removes the member too. */
export function withNamedParents(set: PathSet, type: FieldType): PathSet {
  const members = new Set(set.members);
  const children = new Map<PathElement, PathSet>();
  for (const [element, child] of set.children) {
    if (element.startsWith('f:') && type.fields.has(element.slice(2))) members.add(element);
    children.set(element, withNamedParents(child, elementType(type, element)));
  }
  return pathSet(members, children);
}

/** Moves everything below an atomic place to the place itself, for sets written before a schema made it atomic. */
export function atAtomicPlaces(set: PathSet, type: FieldType): PathSet {
  const members = new Set(set.members);
  const children = new Map<PathElement, PathSet>();
  let differs = false;
  for (const [element, child] of set.children) {
    const place = elementType(type, element);
    const kept = place.atomic ? emptySet : atAtomicPlaces(child, place);
    if (place.atomic) members.add(element);
    else children.set(element, kept);
    differs ||= kept !== child;
  }
  return differs ? pathSet(members, children) : set;
}

/** Makes the set of the given paths of member names. */
export function namedPaths(paths: readonly (readonly string[])[]): PathSet {
  const builder = new PathSetBuilder();
  for (const path of paths) builder.add(path.map((name) => `f:${name}`));
  return builder.build();
}

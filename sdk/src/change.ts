import type { Immutable, Mutable } from './values.js';

const rejected = new Set<PropertyKey>(['__proto__', 'constructor', 'prototype']);

/** One node of the draft: the original, and a shallow copy once something below or in it was written. */
class Draft {
  readonly base: object;
  /** Cleared when another value is written in the draft's place: its edits then count only where it was moved to. */
  parent: { readonly draft: Draft; readonly key: PropertyKey } | undefined;
  copy: Record<PropertyKey, unknown> | undefined;
  readonly children = new Map<PropertyKey, { value: unknown; proxy: object }>();

  constructor(base: object, parent?: { draft: Draft; key: PropertyKey }) {
    this.base = base;
    this.parent = parent;
  }

  current(): Record<PropertyKey, unknown> {
    return this.copy ?? (this.base as Record<PropertyKey, unknown>);
  }

  /** Detaches the child at `key`; for `length`, the children beyond the new length. */
  detach(key: PropertyKey): void {
    if (key === 'length' && Array.isArray(this.base)) {
      for (const index of this.children.keys()) if (!(index in this.current())) this.detach(index);
      return;
    }
    const known = this.children.get(key);
    const child = known && draftOf.get(known.proxy);
    if (child) child.parent = undefined;
    this.children.delete(key);
  }

  written(): Record<PropertyKey, unknown> {
    if (this.copy === undefined) {
      this.copy = (Array.isArray(this.base) ? [...this.base] : { ...this.base }) as Record<PropertyKey, unknown>;
      if (this.parent) this.parent.draft.written()[this.parent.key] = this.copy;
    }
    return this.copy;
  }
}

/**
 * Returns a frozen copy of `value` with the edits of `edit`, or the same reference when nothing changed.
 *
 * Only changed parts are copied, so unchanged parts stay identical. `edit` gets a draft that it may modify like an ordinary object; the
 * draft must not be used after `edit` has returned.
 *
 * @example
 * ```ts
 * const scaled = change(application, (draft) => { draft.spec.replicas = 3; });
 * ```
 */
export function change<T>(value: Immutable<T>, edit: (draft: Mutable<T>) => void): Immutable<T> {
  if (typeof value !== 'object' || value === null) return value;
  const root = new Draft(value);
  edit(proxyOf(root) as Mutable<T>);
  return (root.copy === undefined ? value : freezeDeep(settled(root.copy))) as Immutable<T>;
}

/** Freezes plain data deeply and returns it; parts that are already frozen are not visited again. */
export function freezeDeep<T>(value: T): Immutable<T> {
  if (isLoose(value)) freezeAll(value);
  return value as Immutable<T>;
}

function isLoose(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Object.isFrozen(value) && !ArrayBuffer.isView(value);
}

/** Checks for own properties only where something must be frozen: the check costs more than freezing, and this runs for every read. */
function freezeAll(value: object): void {
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) if (isLoose(item)) freezeAll(item);
  } else {
    for (const key in value) {
      const part: unknown = value[key as keyof typeof value];
      if (isLoose(part) && Object.hasOwn(value, key)) freezeAll(part);
    }
  }
  Object.freeze(value);
}

function proxyOf(draft: Draft): object {
  const target = Array.isArray(draft.base) ? [] : {};
  return new Proxy(target, {
    get: (_, key, receiver) => read(draft, key, receiver),
    has: (_, key) => Reflect.has(draft.current(), key),
    ownKeys: () => Reflect.ownKeys(draft.current()),
    set(_, key, value: unknown) {
      if (rejected.has(key)) return false;
      if (!isSame(draft.current()[key], value) || !(key in draft.current())) {
        draft.written()[key] = value;
        draft.detach(key);
      }
      return true;
    },
    deleteProperty(_, key) {
      if (key in draft.current()) delete draft.written()[key];
      draft.detach(key);
      return true;
    },
    getOwnPropertyDescriptor(_, key) {
      const own = Reflect.getOwnPropertyDescriptor(draft.current(), key);
      if (own === undefined) return undefined;
      const isLength = key === 'length' && Array.isArray(draft.base);
      return { value: read(draft, key, undefined), writable: true, enumerable: own.enumerable ?? true, configurable: !isLength };
    },
    defineProperty: () => false,
    setPrototypeOf: () => false,
  });
}

function read(draft: Draft, key: PropertyKey, receiver: unknown): unknown {
  const current = draft.current();
  const value: unknown = Reflect.get(current, key, receiver);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || !Object.hasOwn(current, key) || draftOf.has(value))
    return value;
  const known = draft.children.get(key);
  if (known && (known.value === value || draftOf.get(known.proxy)?.copy === value)) return known.proxy;
  const child = new Draft(value, { draft, key });
  const proxy = proxyOf(child);
  draftOf.set(proxy, child);
  draft.children.set(key, { value, proxy });
  return proxy;
}

const draftOf = new WeakMap<object, Draft>();

/**
 * The value without drafts: a written value may be a draft or contain one at any depth, for example after a spread, a swap or `splice`.
 * Frozen parts cannot contain one.
 */
function settled(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  const draft = draftOf.get(value);
  if (draft) return draft.copy === undefined ? draft.base : settled(draft.copy);
  if (Object.isFrozen(value)) return value;
  const parts = value as Record<string, unknown>;
  for (const key of Object.keys(parts)) {
    const part = parts[key];
    const without = settled(part);
    if (without !== part) parts[key] = without;
  }
  return value;
}

/** Whether replacing `present` by `value` would change nothing. */
function isSame(present: unknown, value: unknown): boolean {
  if (Object.is(present, value)) return true;
  const draft = typeof value === 'object' && value !== null ? draftOf.get(value) : undefined;
  return draft !== undefined && draft.current() === present;
}

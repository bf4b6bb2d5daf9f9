import type { Immutable } from './values.js';

const rejected = new Set<PropertyKey>(['__proto__', 'constructor', 'prototype']);

/** One node of the draft: the original, and a shallow copy once something below or in it was written. */
class Draft {
  readonly base: object;
  readonly parent: { draft: Draft; key: PropertyKey } | undefined;
  copy: Record<PropertyKey, unknown> | undefined;
  readonly children = new Map<PropertyKey, { value: unknown; proxy: object }>();

  constructor(base: object, parent?: { draft: Draft; key: PropertyKey }) {
    this.base = base;
    this.parent = parent;
  }

  current(): Record<PropertyKey, unknown> {
    return this.copy ?? (this.base as Record<PropertyKey, unknown>);
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
 * Gives a frozen copy of `value` with the edits of `edit`, and the same reference when nothing changed.
 *
 * Only what is touched is copied, so parts that stay equal stay identical. `edit` gets a draft it may write as if it were an
 * ordinary object; the draft must not be kept after `edit` has returned.
 *
 * @example
 * ```ts
 * const scaled = change(application, (draft) => { draft.spec.replicas = 3; });
 * ```
 */
export function change<T>(value: Immutable<T>, edit: (draft: T) => void): Immutable<T> {
  if (typeof value !== 'object' || value === null) return value;
  const root = new Draft(value);
  edit(proxyOf(root) as T);
  return (root.copy === undefined ? value : freezeDeep(root.copy)) as Immutable<T>;
}

/** Freezes plain data all the way down and returns it; what is frozen already is not walked again. */
export function freezeDeep<T>(value: T): Immutable<T> {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value) && !ArrayBuffer.isView(value)) {
    // Children first and no array of values: reading frozen objects is slower, and this runs for every object that is cached.
    for (const key in value) {
      if (Object.hasOwn(value, key)) freezeDeep(value[key]);
    }
    Object.freeze(value);
  }
  return value as Immutable<T>;
}

function proxyOf(draft: Draft): object {
  const target = Array.isArray(draft.base) ? [] : {};
  return new Proxy(target, {
    get: (_, key, receiver) => read(draft, key, receiver),
    has: (_, key) => Reflect.has(draft.current(), key),
    ownKeys: () => Reflect.ownKeys(draft.current()),
    set(_, key, value: unknown) {
      if (rejected.has(key)) return false;
      if (!Object.is(draft.current()[key], value) || !(key in draft.current())) {
        draft.written()[key] = plain(value);
        draft.children.delete(key);
      }
      return true;
    },
    deleteProperty(_, key) {
      if (key in draft.current()) delete draft.written()[key];
      draft.children.delete(key);
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
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || !Object.hasOwn(current, key)) return value;
  const known = draft.children.get(key);
  if (known && (known.value === value || draftOf.get(known.proxy)?.copy === value)) return known.proxy;
  const child = new Draft(value, { draft, key });
  const proxy = proxyOf(child);
  draftOf.set(proxy, child);
  draft.children.set(key, { value, proxy });
  return proxy;
}

const draftOf = new WeakMap<object, Draft>();

/** What is written into a draft may itself be (part of) a draft, for example after `splice` or a swap: store its present value. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const draft = draftOf.get(value);
  return draft ? draft.current() : value;
}

import { resourceErrors } from './errors.js';

/** Key layout of an engine in the store. Every engine has its own key space, so that engines never see each other's objects. */
export interface KeySpace {
  /** The prefix of all object keys of a kind; ends with a slash. */
  kindPrefix(group: string, plural: string): string;
  /** The key of an internal record; `area` separates kinds of records from each other and from objects. */
  record(area: 'idempotency' | 'kind' | 'secret', name: string): string;
  /** The full name of a claim; claims have a namespace of their own in the store. */
  claim(name: string): string;
}

/** Makes the key space of the engine called `name`. */
export function keySpace(name: string): KeySpace {
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) {
    throw resourceErrors.TAP_KIND_INVALID({ message: `engine name: expected lower-case letters, digits and hyphens, found "${name}"` });
  }
  return Object.freeze({
    kindPrefix: (group, plural) => `/registry/${name}/${group === '' ? 'core' : group}/${plural}/`,
    record: (area, record) => `/records/${name}/${area}/${record}`,
    claim: (claim) => `${name}/${claim}`,
  } satisfies KeySpace);
}

/** The key of an object below its kind's prefix; names contain no slash. */
export function objectKey(prefix: string, namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === '' ? prefix + name : `${prefix}${namespace}/${name}`;
}

/** The first key after all keys that start with `prefix`, which ends with a slash. */
export const endOf = (prefix: string): string => `${prefix.slice(0, -1)}0`;

import { resourceErrors } from './errors.js';

/** Where things lie in the store. Every engine has its own space, so that two engines never see each other's objects. */
export interface KeySpace {
  /** Start of all object keys of a kind; ends with a slash. */
  kindPrefix(group: string, plural: string): string;
  /** A record of the engine's own; `area` keeps sorts of records apart from each other and from kinds. */
  record(area: 'idempotency' | 'kind' | 'secret', name: string): string;
  /** The name of a claim; claims have a space of their own in the store. */
  claim(name: string): string;
}

/** The key space of the engine called `name`. */
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

/** The key of an object below its kind's prefix; names hold no slash. */
export function objectKey(prefix: string, namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === '' ? prefix + name : `${prefix}${namespace}/${name}`;
}

/** The first key behind all that start with `prefix`, which ends with a slash. */
export const endOf = (prefix: string): string => `${prefix.slice(0, -1)}0`;

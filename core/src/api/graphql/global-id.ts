import type { Key } from '@tappaas/sdk';
import type { ObjectBody } from './object-reader.js';

/** The object that a global id refers to. */
export interface NodeKey extends Key {
  readonly group: string;
  readonly kind: string;
  readonly uid: string;
}

const idCharactersMax = 2048;

/** Cached, because objects are frozen and shared by all readers. */
const known = new WeakMap<ObjectBody, string>();

/** Returns the opaque id of an object. It contains the uid, so a later object with the same name has another id. */
export function globalId(object: ObjectBody): string {
  const found = known.get(object);
  if (found !== undefined) return found;
  const made = idOf(object);
  known.set(object, made);
  return made;
}

function idOf({ apiVersion, kind, metadata }: ObjectBody): string {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  return Buffer.from(JSON.stringify([group, kind, metadata.namespace ?? '', metadata.name, metadata.uid])).toString('base64url');
}

/** Parses a global id; returns undefined when it is malformed. */
export function readGlobalId(id: string): NodeKey | undefined {
  if (id.length > idCharactersMax) return undefined;
  try {
    const parts: unknown = JSON.parse(Buffer.from(id, 'base64url').toString());
    if (!Array.isArray(parts) || parts.length !== 5 || !parts.every((part) => typeof part === 'string')) return undefined;
    const [group = '', kind = '', namespace = '', name = '', uid = ''] = parts;
    return name === '' ? undefined : { group, kind, ...(namespace !== '' && { namespace }), name, uid };
  } catch {
    return undefined;
  }
}

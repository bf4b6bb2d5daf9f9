import type { Key } from '@tappaas/sdk';
import type { ObjectBody } from './object-reader.js';

/** What a global id stands for. */
export interface NodeKey extends Key {
  readonly group: string;
  readonly kind: string;
  readonly uid: string;
}

const idCharactersMax = 2048;

/** Objects are frozen and shared by all who read them. */
const known = new WeakMap<ObjectBody, string>();

/** The opaque id of an object; another object that gets its name later has another one. */
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

/** Nothing for what no object has as its id. */
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

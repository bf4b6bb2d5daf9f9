import type { Target } from '../ports/engine.js';
import { resourceErrors } from './errors.js';
import { objectKey } from './key-space.js';
import type { Found, Registry } from './registry.js';

/** Finds the served kind of a target. @throws TAP_KIND_NOT_FOUND */
export function findKind(registry: Registry, { kind }: Target): Found {
  const found = registry.find(kind);
  if (found) return found;
  throw resourceErrors.TAP_KIND_NOT_FOUND({
    message: `no resource ${kind.plural} in ${kind.group === '' ? '' : `${kind.group}/`}${kind.version} is served`,
  });
}

/** Returns the key of the object that a target names. @throws TAP_REQUEST_INVALID when it names none */
export function keyOfTarget({ entry }: Found, target: Target): string {
  const name = nameOf(target);
  if (entry.isNamespaced) return objectKey(entry.prefix, namespaceOf(target), name);
  return objectKey(entry.prefix, undefined, name);
}

/** Returns the name in a target. @throws TAP_REQUEST_INVALID */
export function nameOf(target: Target): string {
  if (target.name !== undefined && target.name !== '') return target.name;
  throw resourceErrors.TAP_REQUEST_INVALID({ message: `${target.kind.plural}: expected the name of an object, found none` });
}

/** Returns the namespace in a target of a namespaced kind. @throws TAP_REQUEST_INVALID */
export function namespaceOf(target: Target): string {
  if (target.namespace !== undefined && target.namespace !== '') return target.namespace;
  throw resourceErrors.TAP_REQUEST_INVALID({ message: `${target.kind.plural}: expected a namespace, found none` });
}

/** Formats an object for messages as kubectl does: `deployments.apps "web"`. */
export function label(kind: { readonly group: string; readonly plural: string }, name: string): string {
  return `${kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`} "${name}"`;
}

/** The error for an object that does not exist. */
export function notFound({ entry }: Found, name: string): Error {
  return resourceErrors.TAP_OBJECT_NOT_FOUND({ message: `${label(entry, name)} not found` });
}

import type { AccessRequest } from '@tappaas/sdk';

const isBroken = (text: string | undefined): boolean => text !== undefined && !text.isWellFormed();

/**
 * Returns the part of a question that is not well-formed Unicode (a lone surrogate): no name has one, and not every authorizer can handle
 * it. Bodies with such text are refused when parsed; this covers all other inputs.
 */
export function brokenText({ resource, path, verb }: Pick<AccessRequest, 'resource' | 'path' | 'verb'>): string | undefined {
  if (isBroken(verb)) return 'verb';
  if (isBroken(path)) return 'path';
  if (resource === undefined) return undefined;
  if (isBroken(resource.name)) return 'name';
  if (isBroken(resource.namespace)) return 'namespace';
  if (isBroken(resource.plural)) return 'plural';
  if (isBroken(resource.subresource)) return 'subresource';
  return isBroken(resource.group) ? 'group' : undefined;
}

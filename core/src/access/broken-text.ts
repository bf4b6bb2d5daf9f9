import type { AccessRequest } from '@tappaas/sdk';

const isBroken = (text: string | undefined): boolean => text !== undefined && !text.isWellFormed();

/**
 * What of a question is no Unicode text (half of a surrogate pair alone): nothing has such a name, and not every authorizer can be shown
 * one. Bodies that hold such text are refused where they are read; this stands for every other way in.
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

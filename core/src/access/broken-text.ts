import type { AccessRequest } from '@tappaas/sdk';

const parts = ['namespace', 'name', 'plural', 'subresource', 'group'] as const;

/**
 * What of a question is no Unicode text (half of a surrogate pair alone): nothing has such a name, and not every authorizer can be shown
 * one. Bodies that hold such text are refused where they are read; this stands for every other way in.
 */
export function brokenText({ resource, path, verb }: Pick<AccessRequest, 'resource' | 'path' | 'verb'>): string | undefined {
  if (!verb.isWellFormed()) return 'verb';
  if (path?.isWellFormed() === false) return 'path';
  return resource && parts.find((part) => resource[part]?.isWellFormed() === false);
}

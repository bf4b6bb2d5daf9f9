import { objectErrors } from '@tappaas/sdk';

/** Where objects of one kind are served. */
export interface ApiResource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** The key of an object. */
export interface ObjectKey {
  readonly namespace?: string;
  readonly name: string;
}

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf({ group, version }: ApiResource): string {
  return group === '' ? version : `${group}/${version}`;
}

/** Returns the path of a group and version. */
export function groupPath(apiVersion: string): string {
  const segments = apiVersion.split('/').map((segment) => pathSegment(segment, 'apiVersion'));
  return segments.length === 1 ? `/api/${segments[0] ?? ''}` : `/apis/${segments.join('/')}`;
}

/** @throws TAP_OBJECT_INVALID for a name or namespace that would lead to another path */
export function resourcePath(resource: ApiResource, target: { namespace?: string; name?: string }, subresource?: string): string {
  const parts = [groupPath(apiVersionOf(resource))];
  if (resource.namespaced && target.namespace !== undefined && target.namespace !== '') {
    parts.push('namespaces', pathSegment(target.namespace, 'metadata.namespace'));
  }
  parts.push(resource.plural);
  if (target.name !== undefined) parts.push(pathSegment(target.name, 'metadata.name'));
  if (subresource !== undefined) parts.push(subresource);
  return parts.join('/');
}

/** Encodes a path segment. Encoding does not change "." and "..", which URLs resolve, so such names are refused, as in Kubernetes. */
function pathSegment(text: string, field: string): string {
  if (text === '' || text === '.' || text === '..' || /[/%]/.test(text)) {
    throw objectErrors.TAP_OBJECT_INVALID({ message: `${field} must be a name without "/" and "%", found "${text}"`, field });
  }
  return encodeURIComponent(text);
}

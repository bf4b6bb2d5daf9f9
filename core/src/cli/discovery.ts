import type { Client } from '@tappaas/client';

/** The part of discovery documents that commands read. */
export interface DiscoveredGroup {
  readonly metadata?: { readonly name?: string };
  readonly versions: readonly { readonly version: string; readonly resources: readonly DiscoveredResource[] }[];
}

export interface DiscoveredResource {
  readonly resource: string;
  readonly responseKind?: { readonly kind?: string };
  readonly scope: string;
  readonly singularResource?: string;
  readonly shortNames?: readonly string[];
  readonly subresources?: readonly { readonly subresource: string; readonly verbs: readonly string[] }[];
}

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Returns all groups below `/api` or `/apis` of an engine, with one request. */
export async function discoveredGroups(client: Client, root: string): Promise<readonly DiscoveredGroup[]> {
  const found = await client.json<{ readonly items?: readonly DiscoveredGroup[] }>(root, { accept: aggregated });
  return found?.items ?? [];
}

/** Returns the lower-case names of a resource. */
export function wordsOf({ resource, singularResource, shortNames = [], responseKind }: DiscoveredResource): readonly string[] {
  return [resource, singularResource, responseKind?.kind, ...shortNames].flatMap((word) => (word ? [word.toLowerCase()] : []));
}

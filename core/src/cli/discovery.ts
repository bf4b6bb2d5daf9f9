import type { Client } from '@tappaas/client';

/** What an engine serves, as far as commands read it. */
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

/** All groups below `/api` or `/apis` of an engine, in one answer. */
export async function discoveredGroups(client: Client, root: string): Promise<readonly DiscoveredGroup[]> {
  const found = await client.json<{ readonly items?: readonly DiscoveredGroup[] }>(root, { accept: aggregated });
  return found?.items ?? [];
}

/** The words that a resource is called by, in small letters. */
export function wordsOf({ resource, singularResource, shortNames = [], responseKind }: DiscoveredResource): readonly string[] {
  return [resource, singularResource, responseKind?.kind, ...shortNames].flatMap((word) => (word ? [word.toLowerCase()] : []));
}

import type { Client } from '@tappaas/client';

/** A kind that the platform serves, and what can be done to its objects beyond reading and writing them. */
export interface KindWithActions {
  readonly kind: string;
  /** Where its objects are, without the namespace. */
  readonly group: string;
  readonly plural: string;
  readonly isNamespaced: boolean;
  readonly actions: readonly string[];
}

interface Discovery {
  readonly items: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions: readonly { readonly version: string; readonly resources: readonly Resource[] }[];
  }[];
}

interface Resource {
  readonly resource: string;
  readonly responseKind: { readonly kind: string };
  readonly scope: string;
  readonly singularResource?: string;
  readonly shortNames?: readonly string[];
  readonly subresources?: readonly { readonly subresource: string; readonly verbs: readonly string[] }[];
}

const discoveryType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** The kind that a word names, by its kind, plural, singular or short name, in any case; of several versions the first that is served. */
export async function findKind(client: Client, word: string): Promise<KindWithActions | undefined> {
  const wanted = word.toLowerCase();
  const isMeant = ({ resource, responseKind: { kind }, singularResource, shortNames = [] }: Resource) =>
    [resource, kind, singularResource, ...shortNames].some((name) => name?.toLowerCase() === wanted);
  for (const root of ['/apis', '/api']) {
    const { items } = (await client.json<Discovery>(root, { accept: discoveryType })) ?? { items: [] };
    for (const { metadata, versions } of items) {
      for (const { version, resources } of versions) {
        const found = resources.find(isMeant);
        if (found) return kindOf(found, root === '/api' ? `/api/${version}` : `/apis/${metadata?.name ?? ''}/${version}`);
      }
    }
  }
  return undefined;
}

function kindOf({ resource, responseKind: { kind }, scope, subresources = [] }: Resource, group: string): KindWithActions {
  const actions = subresources.filter(({ verbs }) => verbs.includes('create')).map(({ subresource }) => subresource);
  return { kind, group, plural: resource, isNamespaced: scope === 'Namespaced', actions };
}

import type { Client } from '@tappaas/client';
import { discoveredGroups, wordsOf, type DiscoveredResource } from './discovery.js';

/** A served kind, with the actions on its objects. */
export interface KindWithActions {
  readonly kind: string;
  /** Where its objects are served, apart from the namespace. */
  readonly group: string;
  readonly plural: string;
  readonly isNamespaced: boolean;
  readonly actions: readonly string[];
}

/** Finds a kind by kind, plural, singular or short name, ignoring case; of several versions, the first that is served. */
export async function findKind(client: Client, word: string): Promise<KindWithActions | undefined> {
  const wanted = word.toLowerCase();
  for (const root of ['/apis', '/api']) {
    for (const { metadata, versions } of await discoveredGroups(client, root)) {
      for (const { version, resources } of versions) {
        const found = resources.find((each) => wordsOf(each).includes(wanted));
        if (found) return kindOf(found, root === '/api' ? `/api/${version}` : `/apis/${metadata?.name ?? ''}/${version}`);
      }
    }
  }
  return undefined;
}

function kindOf({ resource, responseKind, scope, subresources = [] }: DiscoveredResource, group: string): KindWithActions {
  const actions = subresources.filter(({ verbs }) => verbs.includes('create')).map(({ subresource }) => subresource);
  return { kind: responseKind?.kind ?? resource, group, plural: resource, isNamespaced: scope === 'Namespaced', actions };
}

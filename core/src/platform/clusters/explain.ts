import { isTapError, type KubernetesObject, platformEngine } from '@tappaas/sdk';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import type { ResourceEngine } from '../../resources/engine.js';
import { namespaceLabel } from './cluster-namespaces.js';
import type { Engines } from '../engines.js';
import type { PlatformActions } from '../platform-actions.js';

type Kind = ReturnType<ResourceEngine['kinds']>[number];

interface Parts {
  readonly engines: Engines;
  readonly actions: Pick<PlatformActions, 'placements'>;
}

/**
 * Explains which plugin changed which field of an object when it was stored, and where its pods were placed. Returns undefined for a kind
 * that is not served.
 *
 * @throws TAP_OBJECT_NOT_FOUND
 */
export async function explain({ engines, actions }: Parts, query: Readonly<Record<string, string>>): Promise<object | undefined> {
  const { kind: requestedKind = '', name = '', namespace: requestedNamespace = '' } = query;
  const found = findKind(engines, requestedKind.toLowerCase());
  if (found === undefined) return undefined;
  const { engine, kind } = found;
  const place = { kind: { group: kind.group, version: kind.version, plural: kind.plural }, name };
  if (kind.scope !== 'Namespaced') return { object: titleOf(found, name), changes: engine.attribution(place), placements: [] };
  const namespace = await placeOf(engines, engine, requestedNamespace, (each) => engine.attribution({ ...place, namespace: each }));
  const hasPods = ['Application', 'Pod'].includes(kind.kind);
  const placements = hasPods ? await actions.placements({ kind: kind.kind, namespace, name }) : [];
  return { object: titleOf(found, `${namespace}/${name}`), changes: engine.attribution({ ...place, namespace }), placements };
}

/** Finds the kind that a word names, preferring the platform's own to those of clusters. */
function findKind(engines: Engines, word: string): { readonly engine: ResourceEngine; readonly kind: Kind } | undefined {
  const platform = engines.of(platformEngine);
  for (const engine of [platform, ...[...engines.all.values()].filter((each) => each !== platform)]) {
    const kind = engine.kinds().find((each) => [each.kind.toLowerCase(), each.plural, each.singular, ...each.shortNames].includes(word));
    if (kind !== undefined) return { engine, kind };
  }
  return undefined;
}

function titleOf({ engine, kind }: { readonly engine: ResourceEngine; readonly kind: Kind }, name: string): string {
  return `${kind.kind} ${name}${engine.name === platformEngine ? '' : ` on ${engine.name}`}`;
}

/**
 * Finds the namespace of an object. On a cluster, a platform namespace has another name: returns the first in which `look` finds the
 * object.
 */
async function placeOf(
  engines: Engines,
  engine: ResourceEngine,
  requestedNamespace: string,
  look: (namespace: string) => unknown,
): Promise<string> {
  const places = [requestedNamespace];
  if (engine.name !== platformEngine) {
    for await (const { metadata } of engines.asPlatform(engine.name).list(namespaces, { labels: namespaceLabel, itemsMax: namespacesMax }))
      if (metadata.labels?.[namespaceLabel] === requestedNamespace) places.push(metadata.name ?? '');
  }
  const found = places.find((place) => isThere(() => look(place)));
  return found ?? requestedNamespace;
}

const namespacesMax = 10_000;
const namespaces = kubernetesHandle<KubernetesObject>('', 'Namespace');

function isThere(look: () => unknown): boolean {
  try {
    look();
    return true;
  } catch (error) {
    if (isTapError(error, 'TAP_OBJECT_NOT_FOUND')) return false;
    throw error;
  }
}

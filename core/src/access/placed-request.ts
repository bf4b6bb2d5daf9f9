import type { AccessRequest } from '@tappaas/sdk';
import type { AccessQuestion } from '../ports/access.js';
import type { Place, Places } from './access.js';
import { onceKnown } from './once-known.js';
import { isNamespace } from './tenant-boundary.js';

/** A question with the owners of its namespace. */
export type PlacedQuestion = AccessQuestion & Place;

const noPlace: Place = Object.freeze({});

/** Adds the currently known owners of its namespace to a request. */
export function placedNow<R extends Pick<AccessRequest, 'engine' | 'resource'>>(request: R, places: Pick<Places, 'now'>): R & Place {
  const namespace = namespaceOf(request);
  return { ...request, ...(namespace === undefined ? noPlace : places.now(request.engine, namespace)) };
}

/** Adds the settled owners of its namespace to a request; undefined if they are the same as before. */
export function withPlace(
  request: PlacedQuestion,
  places: Pick<Places, 'settled'>,
): PlacedQuestion | undefined | Promise<PlacedQuestion | undefined> {
  const namespace = namespaceOf(request);
  if (namespace === undefined) return undefined;
  return onceKnown(places.settled(request.engine, namespace), (place) => {
    if (place.tenant === request.tenant && place.project === request.project) return undefined;
    const { project: _, tenant: __, ...rest } = request;
    return { ...rest, ...place };
  });
}

/** A Namespace object counts as being in the namespace it names, as in Kubernetes. */
function namespaceOf({ resource }: Pick<AccessRequest, 'resource'>): string | undefined {
  return resource === undefined ? undefined : isNamespace(resource) ? resource.name : resource.namespace;
}

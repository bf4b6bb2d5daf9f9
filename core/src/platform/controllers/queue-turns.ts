import type { Places } from '../../access/access.js';

/**
 * Returns the queue turn of a key: its tenant's, so that a tenant does not get more by having more namespaces. A namespace without a tenant
 * has its own turn; objects without a namespace share one.
 */
export function queueTurns(
  places: Pick<Places, 'now'>,
  engine: string,
  { group, kind }: { readonly group: string; readonly kind: string },
): (key: string) => string {
  const isNamespace = group === '' && kind === 'Namespace';
  return (key) => {
    const slash = key.indexOf('/');
    return turnOf(places, engine, slash >= 0 ? key.slice(0, slash) : isNamespace ? key : undefined);
  };
}

/** Returns the turn of an object in a namespace. */
export function turnOf({ now }: Pick<Places, 'now'>, engine: string, namespace: string | undefined): string {
  if (namespace === undefined) return '';
  const { tenant } = now(engine, namespace);
  return tenant === undefined ? `namespace ${namespace}` : `tenant ${tenant}`;
}

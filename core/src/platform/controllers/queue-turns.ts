import type { Places } from '../../access/access.js';

/**
 * Whose turn a key of a work queue takes: its tenant's, so that a tenant gets no more by having more namespaces. A namespace of nobody takes
 * its own; what lies in none shares one.
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

/** Whose turn something in a namespace takes. */
export function turnOf({ now }: Pick<Places, 'now'>, engine: string, namespace: string | undefined): string {
  if (namespace === undefined) return '';
  const { tenant } = now(engine, namespace);
  return tenant === undefined ? `namespace ${namespace}` : `tenant ${tenant}`;
}

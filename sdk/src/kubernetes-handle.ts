import type { Column, Kind } from './kinds.js';
import { kubernetesKind } from './kubernetes-kind.js';
import { kubernetesKinds, kubernetesSchemas } from './kubernetes-kinds.js';

/** Properties of a kind that the generated table does not contain. */
export interface HandleOptions {
  /** JSON paths that can be used in field selectors besides name and namespace, such as `.spec.nodeName`. */
  readonly fields?: readonly string[];
  readonly columns?: readonly Column[];
  readonly description?: string;
  /** Callers of all tenants may read the objects where a role lets them; cluster-scoped kinds only, such as PriorityClass. */
  readonly isShared?: true;
}

/**
 * Creates the typed handle of one of Kubernetes' own kinds, with its generated schema; an engine must register the kind to serve it.
 *
 * @throws TypeError when the generated table has no such kind, or `isShared` is set and the kind is namespaced.
 * @example
 * ```ts
 * const Pods = kubernetesHandle<Pod>('', 'Pod', { fields: ['.spec.nodeName'] });
 * ```
 */
export function kubernetesHandle<O>(group: string, kind: string, options: HandleOptions = {}): Kind<unknown, unknown, O> {
  const found = kubernetesKinds.find((entry) => entry.group === group && entry.kind === kind);
  if (found === undefined) throw new TypeError(`the generated Kubernetes table has no kind ${kind} in group "${group}"`);
  const has = (name: string) => found.subresources.some((subresource) => subresource.name === name);
  return kubernetesKind<O>({
    group,
    kind,
    version: found.version,
    plural: found.plural,
    singular: found.singular,
    scope: found.scope,
    shortNames: found.shortNames,
    categories: found.categories,
    description: options.description ?? kubernetesSchemas[found.schema]?.description ?? kind,
    schemaName: found.schema,
    schemas: () => kubernetesSchemas,
    subresources: {
      status: has('status'),
      ...(has('scale')
        ? { scale: { replicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', selectorPath: '.spec.selector' } }
        : {}),
    },
    verbs: found.verbs,
    ...(options.fields ? { fields: options.fields } : {}),
    ...(options.columns ? { columns: options.columns } : {}),
    ...(options.isShared ? { isShared: options.isShared } : {}),
  });
}

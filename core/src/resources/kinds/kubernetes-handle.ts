import { kubernetesKind, type AnyKind, type KubernetesKindDeclaration } from '@tappaas/sdk';
import { kubernetesKinds, kubernetesSchemas } from '@tappaas/sdk/kubernetes';
import { resourceErrors } from '../errors.js';

/** What the generated description of a kind lacks. */
export type HandleExtra = Partial<Pick<KubernetesKindDeclaration, 'columns' | 'fields' | 'shortNames' | 'categories'>>;

/** A handle of one of Kubernetes' own kinds, from its published description. @throws TAP_KIND_INVALID for one that is not described */
export function kubernetesHandle(group: string, kind: string, extra: HandleExtra = {}): AnyKind {
  const described = kubernetesKinds.find((candidate) => candidate.group === group && candidate.kind === kind);
  if (described === undefined)
    throw resourceErrors.TAP_KIND_INVALID({ message: `kind ${kind} of group "${group}" is not among Kubernetes' own` });
  const { version, plural, singular, scope, shortNames, categories, verbs, subresources, schema } = described;
  const scale = subresources.some(({ name }) => name === 'scale') && {
    scale: { replicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', selectorPath: '.spec.selector' },
  };
  return kubernetesKind({
    group,
    kind,
    version,
    plural,
    singular,
    scope,
    shortNames,
    categories,
    verbs,
    description: kubernetesSchemas[schema]?.description ?? kind,
    schemaName: schema,
    schemas: () => kubernetesSchemas,
    subresources: { status: subresources.some(({ name }) => name === 'status'), ...scale },
    ...extra,
  });
}

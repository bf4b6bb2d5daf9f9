import type { Deployment, Immutable, KubernetesObject, Pod } from '@tappaas/sdk';

type Objects = readonly Immutable<KubernetesObject>[];

const revision = 'deployment.kubernetes.io/revision';

/** The pods that Deployments make now; those of what was before, and of tasks, are none of them. */
export function currentPodsOf(observed: Objects): readonly Immutable<Pod>[] {
  const current = new Set(observed.filter(isDeployment).flatMap((deployment) => currentSetOf(deployment, observed)));
  return observed.filter(isPod).filter(({ metadata: { ownerReferences = [] } }) => ownerReferences.some(({ uid }) => current.has(uid)));
}

/** The ReplicaSet of the present pod template; none until the Deployment's controller has seen it. */
function currentSetOf({ metadata, status }: Immutable<Deployment>, observed: Objects): readonly string[] {
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) return [];
  const number = metadata.annotations?.[revision];
  const isCurrent = ({ kind, metadata: set }: Immutable<KubernetesObject>) =>
    kind === 'ReplicaSet' && set.annotations?.[revision] === number && set.ownerReferences?.some(({ uid }) => uid === metadata.uid);
  return number === undefined ? [] : observed.filter(isCurrent).flatMap(({ metadata: { uid } }) => uid ?? []);
}

export const isDeployment = (object: Immutable<KubernetesObject>): object is Immutable<Deployment> => object.kind === 'Deployment';
export const isPod = (object: Immutable<KubernetesObject>): object is Immutable<Pod> => object.kind === 'Pod';

import type { Deployment, Immutable, KubernetesObject, Pod } from '@tappaas/sdk';

type Objects = readonly Immutable<KubernetesObject>[];

const revision = 'deployment.kubernetes.io/revision';

/** The pods of the present pod templates of Deployments, without those of earlier releases and of tasks. */
export function currentPodsOf(observed: Objects): readonly Immutable<Pod>[] {
  const current = new Set(observed.filter(isDeployment).flatMap((deployment) => currentSetOf(deployment, observed)));
  return observed.filter(isPod).filter(({ metadata: { ownerReferences = [] } }) => ownerReferences.some(({ uid }) => current.has(uid)));
}

/** The uid of the ReplicaSet of the present pod template; empty until the Deployment's controller has observed the template. */
function currentSetOf({ metadata, status }: Immutable<Deployment>, observed: Objects): readonly string[] {
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) return [];
  const number = metadata.annotations?.[revision];
  const isCurrent = ({ kind, metadata: set }: Immutable<KubernetesObject>) =>
    kind === 'ReplicaSet' && set.annotations?.[revision] === number && set.ownerReferences?.some(({ uid }) => uid === metadata.uid);
  return number === undefined ? [] : observed.filter(isCurrent).flatMap(({ metadata: { uid } }) => uid ?? []);
}

export const isDeployment = (object: Immutable<KubernetesObject>): object is Immutable<Deployment> => object.kind === 'Deployment';
export const isPod = (object: Immutable<KubernetesObject>): object is Immutable<Pod> => object.kind === 'Pod';

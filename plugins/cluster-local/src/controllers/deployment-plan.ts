import type { Deployment, Immutable, ReplicaSet } from '@tappaas/sdk';
import { canonicalJson } from '../canonical-json.js';
import { suffixed, wordOf } from './naming.js';
import { desiredAnnotation, planRollout, type Resize } from './rollout-plan.js';

type ASet = Immutable<ReplicaSet>;

const hashLabel = 'pod-template-hash';
const revisionAnnotation = 'deployment.kubernetes.io/revision';

/** The actions that make a deployment's replica sets follow its template. */
export interface DeploymentPlan {
  /** The set of the present template, existing or to be created; absent while a pause prevents its creation. */
  readonly current?: ASet;
  /** The set to create, with its size. */
  readonly create?: ASet;
  readonly resize: readonly Resize[];
  /** Sets beyond the history limit, to delete. */
  readonly forget: readonly ASet[];
  readonly old: readonly ASet[];
  readonly revision: number;
  /** A set with another template already has the name: increase the collision count and plan again. */
  readonly collision: boolean;
}

/** Plans from the sets that the deployment owns. `namesTaken` contains the name of the new set if another owner's set has it. */
export function planDeployment(deployment: Immutable<Deployment>, sets: readonly ASet[], namesTaken: ReadonlySet<string>): DeploymentPlan {
  const spec = deployment.spec;
  const fresh = newSet(deployment);
  const found = sets.filter((set) => sameTemplate(set, deployment)).toSorted(byCreation)[0];
  const old = sets.filter((set) => set !== found);
  const highest = Math.max(0, ...old.map(revisionOf));
  const revision = found && revisionOf(found) > highest ? revisionOf(found) : highest + 1;
  if (spec === undefined || (spec.paused && found === undefined)) {
    return { resize: spec ? planRollout(spec, undefined, old) : [], forget: [], old, revision: highest, collision: false };
  }
  const name = fresh.metadata.name ?? '';
  const collision = found === undefined && (namesTaken.has(name) || old.some(({ metadata }) => metadata.name === name));
  if (collision) return { resize: [], forget: [], old, revision, collision };
  const current = found ?? fresh;
  const resize = planRollout(spec, current, old);
  if (found !== undefined)
    return { current: found, resize, forget: history(spec.revisionHistoryLimit ?? 10, old), old, revision, collision };
  const size = resize.find(({ set }) => set === fresh)?.replicas ?? 0;
  const create: ASet = {
    ...fresh,
    metadata: { ...fresh.metadata, annotations: { ...fresh.metadata.annotations, [revisionAnnotation]: String(revision) } },
    spec: { ...fresh.spec, selector: fresh.spec?.selector ?? {}, replicas: size },
  };
  return { current: create, create, resize: resize.filter(({ set }) => set !== fresh), forget: [], old, revision, collision };
}

/** The set for the present template, with 0 replicas. */
export function newSet(deployment: Immutable<Deployment>): ASet {
  const { metadata, spec } = deployment;
  const hash = wordOf(canonicalJson([spec?.template, deployment.status?.collisionCount ?? 0]), 10);
  const labels = { ...spec?.template.metadata?.labels, [hashLabel]: hash };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: suffixed(metadata.name ?? '', hash),
      namespace: metadata.namespace ?? '',
      labels,
      annotations: { [desiredAnnotation]: String(spec?.replicas ?? 1) },
    },
    spec: {
      replicas: 0,
      minReadySeconds: spec?.minReadySeconds ?? 0,
      selector: { ...spec?.selector, matchLabels: { ...spec?.selector.matchLabels, [hashLabel]: hash } },
      template: { ...spec?.template, metadata: { ...spec?.template.metadata, labels } },
    },
  };
}

function sameTemplate(set: ASet, deployment: Immutable<Deployment>): boolean {
  const template = set.spec?.template;
  const { [hashLabel]: _hash, ...labels } = template?.metadata?.labels ?? {};
  return plainTemplate({ ...template, metadata: { ...template?.metadata, labels } }) === plainTemplate(deployment.spec?.template);
}

/** Serializes a template; empty and absent maps are equal. */
function plainTemplate(template: NonNullable<ASet['spec']>['template']): string {
  const { labels = {}, annotations = {} } = template?.metadata ?? {};
  return canonicalJson([labels, annotations, template?.spec]);
}

export const revisionOf = (set: ASet): number => Number(set.metadata.annotations?.[revisionAnnotation] ?? 0);

const byCreation = (a: ASet, b: ASet) =>
  `${a.metadata.creationTimestamp}/${a.metadata.name}` < `${b.metadata.creationTimestamp}/${b.metadata.name}` ? -1 : 1;

/** Old sets without pods beyond the limit, lowest revision first. */
function history(limit: number, old: readonly ASet[]): readonly ASet[] {
  const isIdle = ({ metadata, spec, status }: ASet) =>
    (spec?.replicas ?? 0) === 0 &&
    (status?.replicas ?? 0) === 0 &&
    (status?.terminatingReplicas ?? 0) === 0 &&
    (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0) &&
    metadata.deletionTimestamp === undefined;
  const idle = old.filter(isIdle).toSorted((a, b) => revisionOf(a) - revisionOf(b));
  return idle.slice(0, Math.max(0, idle.length - limit));
}

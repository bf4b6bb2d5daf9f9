import { isTapError, type Context, type Deployment, type Immutable, type Outcome, type ReplicaSet } from '@tappaas/sdk';
import { Deployments, ReplicaSets } from '../kinds/handles.js';
import { selectorText } from '../kinds/label-selector.js';
import { newSet, planDeployment, revisionOf, type DeploymentPlan } from './deployment-plan.js';
import { deploymentStatus } from './deployment-status.js';
import { controllerReference } from './naming.js';
import { isControlledBy } from './pod-facts.js';
import { keyOf } from './replica-set.js';
import { desiredAnnotation } from './rollout-plan.js';
import { writeStatus } from './status-write.js';

type ASet = Immutable<ReplicaSet>;

/** Maximum number of replica sets of one deployment. */
const setsMax = 10_000;

/** Replaces pods of old templates step by step, within the bounds of the strategy. */
export async function reconcileDeployment(deployment: Immutable<Deployment>, context: Context): Promise<Outcome> {
  const { clock } = context;
  const { own, namesTaken } = await setsOf(deployment, context);
  if (deployment.metadata.deletionTimestamp !== undefined) return;
  const plan = planDeployment(deployment, own, namesTaken);
  if (plan.collision) {
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
    return writeStatus(context, Deployments, deployment, { collisionCount });
  }
  await perform(plan, deployment, context);
  const { status, deadlineAtMs } = deploymentStatus(deployment, plan.current, plan.old, clock.nowMs());
  await writeStatus(context, Deployments, deployment, status);
  if (deadlineAtMs !== undefined) return { againAfterMs: Math.max(1, deadlineAtMs - clock.nowMs()) };
}

/**
 * Returns the deployment's sets. They carry the labels that it selects, so only those are listed, plus the set with the name of the new
 * set, which may belong to another owner.
 */
async function setsOf(
  deployment: Immutable<Deployment>,
  { asPlugin }: Context,
): Promise<{ readonly own: readonly ASet[]; readonly namesTaken: ReadonlySet<string> }> {
  const { namespace = '', uid } = deployment.metadata;
  const labels = selectorText(deployment.spec?.selector ?? {});
  const own: ASet[] = [];
  for await (const set of asPlugin.list(ReplicaSets, { namespace, labels, itemsMax: setsMax })) {
    if (isControlledBy(set, uid)) own.push(set);
  }
  const namesake = await asPlugin.get(ReplicaSets, keyOf(newSet(deployment)));
  if (namesake === undefined || own.some(({ metadata }) => metadata.uid === namesake.metadata.uid)) return { own, namesTaken: new Set() };
  if (isControlledBy(namesake, uid)) return { own: [...own, namesake], namesTaken: new Set() };
  return { own, namesTaken: new Set([namesake.metadata.name ?? '']) };
}

async function perform(plan: DeploymentPlan, deployment: Immutable<Deployment>, context: Context): Promise<void> {
  const { asPlugin } = context;
  const wished = String(deployment.spec?.replicas ?? 1);
  if (plan.create) await createSet(plan.create, deployment, context);
  for (const { set, replicas } of plan.resize) {
    const { resourceVersion, uid } = set.metadata;
    const metadata = { resourceVersion, uid, annotations: { [desiredAnnotation]: wished } };
    await asPlugin.patch(ReplicaSets, keyOf(set), { metadata, spec: { replicas } });
  }
  const current = plan.create ? undefined : plan.current;
  if (current && !plan.resize.some(({ set }) => set === current) && needsTouch(current, plan, deployment)) {
    await asPlugin.patch(ReplicaSets, keyOf(current), {
      metadata: { uid: current.metadata.uid, annotations: { 'deployment.kubernetes.io/revision': String(plan.revision) } },
      spec: { minReadySeconds: deployment.spec?.minReadySeconds ?? 0 },
    });
  }
  for (const set of plan.forget) {
    const { uid } = set.metadata;
    await asPlugin.delete(ReplicaSets, keyOf(set), uid === undefined ? {} : { uid });
  }
  const revision = String(plan.revision);
  if (plan.revision > 0 && deployment.metadata.annotations?.['deployment.kubernetes.io/revision'] !== revision) {
    const metadata = { uid: deployment.metadata.uid, annotations: { 'deployment.kubernetes.io/revision': revision } };
    await asPlugin.patch(Deployments, keyOf(deployment), { metadata });
  }
}

function needsTouch(current: ASet, plan: DeploymentPlan, deployment: Immutable<Deployment>): boolean {
  return revisionOf(current) !== plan.revision || (current.spec?.minReadySeconds ?? 0) !== (deployment.spec?.minReadySeconds ?? 0);
}

async function createSet(set: ASet, deployment: Immutable<Deployment>, { asPlugin }: Context): Promise<void> {
  const owned = { ...set, metadata: { ...set.metadata, ownerReferences: [controllerReference(deployment)] } };
  try {
    await asPlugin.create(ReplicaSets, owned);
  } catch (error) {
    if (!isTapError(error, 'TAP_OBJECT_EXISTS')) throw error;
  }
}

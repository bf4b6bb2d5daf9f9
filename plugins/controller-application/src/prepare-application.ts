import { isTapError, type Condition, type Immutable, type Prepared, type ReconcileContext } from '@tappaas/sdk';
import { Build, type Application, type ApplicationObject, type BuildObject } from '@tappaas/sdk/kinds';

/** Settles the image: named directly, or built from uploaded source by a Build that this application owns. */
export async function prepareApplication(
  application: Immutable<ApplicationObject>,
  context: ReconcileContext<typeof Application>,
): Promise<Prepared> {
  const { source } = application.spec;
  if (source.image !== undefined) return { ready: true, inputs: { image: source.image } };
  if (source.upload === undefined) return waiting('SourceMissing', 'the application names no source', true);
  const build = await buildOf(application, source.upload.digest, context);
  context.progress('build', build.status?.phase === 'Succeeded' ? 100 : 50);
  if (build.status?.phase === 'Succeeded' && build.status.image !== undefined) {
    return {
      ready: true,
      inputs: { image: `${application.metadata.namespace}/${application.metadata.name}@${build.status.image}`, build: build.metadata.name },
    };
  }
  const ended = build.status?.phase === 'Failed' || build.status?.phase === 'Cancelled';
  const why = build.status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? 'it has not begun';
  return waiting(ended ? 'BuildFailed' : 'Building', `build ${build.metadata.name}: ${why}`, ended);
}

/** One Build per application and source: the same upload is built once. */
async function buildOf(
  application: Immutable<ApplicationObject>,
  digest: string,
  { asPlugin }: ReconcileContext<typeof Application>,
): Promise<Immutable<BuildObject>> {
  const { name: owner, namespace, uid } = application.metadata;
  const name = `${owner.slice(0, 240)}-${digest.slice('sha256:'.length, 'sha256:'.length + 12)}`;
  const found = await asPlugin.get(Build, { namespace, name });
  if (found) return found;
  const ownerReferences = [
    { apiVersion: application.apiVersion, kind: application.kind, name: owner, uid, controller: true, blockOwnerDeletion: true },
  ];
  const spec = { application: owner, builder: application.spec.build?.builder ?? 'source', source: { digest } };
  try {
    return await asPlugin.create(Build, { metadata: { name, namespace, ownerReferences }, spec });
  } catch (error) {
    const raced = isTapError(error, 'TAP_OBJECT_EXISTS') ? await asPlugin.get(Build, { namespace, name }) : undefined;
    if (raced === undefined) throw error;
    return raced;
  }
}

function waiting(reason: string, message: string, failed: boolean): Prepared {
  const condition = (type: string): Condition => ({ type, status: 'False', reason, message });
  return { ready: false, conditions: [condition('Ready'), condition('Built')], failed };
}

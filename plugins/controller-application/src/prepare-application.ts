import { isTapError, type Condition, type Immutable, type KubernetesSecret, type Prepared, type ReconcileContext } from '@tappaas/sdk';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { Build, type Application, type ApplicationObject, type BuildObject } from '@tappaas/sdk/kinds';
import { secretInput, secretsOf } from './secret-copies.js';

const Secret = kubernetesHandle<KubernetesSecret>('', 'Secret');

/** Settles the image and the versions of the Secrets that the environment takes values from. */
export async function prepareApplication(
  application: Immutable<ApplicationObject>,
  context: ReconcileContext<typeof Application>,
): Promise<Prepared> {
  const image = await settleImage(application, context);
  if (!image.ready) return image;
  const { namespace } = application.metadata;
  const inputs: Record<string, string> = { ...image.inputs };
  for (const name of secretsOf(application)) {
    const secret = await context.asPlugin.get(Secret, { namespace, name });
    const version = secret?.metadata.resourceVersion;
    if (version === undefined)
      return waiting('SecretMissing', `there is no Secret "${name}" in namespace ${namespace}; create it and this goes on`, false);
    inputs[secretInput(name)] = version;
  }
  return { ready: true, inputs };
}

/** The Secret kind, for the plugin's permissions. */
export { Secret };

/** The image: named directly, or built from uploaded source by a Build that this application owns. */
async function settleImage(application: Immutable<ApplicationObject>, context: ReconcileContext<typeof Application>): Promise<Prepared> {
  const { source } = application.spec;
  if (source.image !== undefined) return { ready: true, inputs: { image: source.image } };
  if (source.upload === undefined) return waiting('SourceMissing', 'the application names no source', true);
  const build = await buildOf(application, source.upload.digest, context);
  context.progress('build', build.status?.phase === 'Succeeded' ? 100 : 50);
  if (build.status?.phase === 'Succeeded' && build.status.image !== undefined) {
    const idle = build.status.startedBy === undefined && application.spec.processes.find(({ command }) => command === undefined);
    if (idle) return waiting('CommandMissing', commandMissing(idle.name), true);
    return {
      ready: true,
      inputs: { image: `${application.metadata.namespace}/${application.metadata.name}@${build.status.image}`, build: build.metadata.name },
    };
  }
  const ended = build.status?.phase === 'Failed' || build.status?.phase === 'Cancelled';
  const why = build.status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? 'it has not begun';
  return waiting(ended ? 'BuildFailed' : 'Building', `build ${build.metadata.name}: ${why}`, ended);
}

const commandMissing = (process: string) =>
  `nothing in the source says what process ${process} runs: add a Procfile with a line "web: …", a "start" script to package.json, ` +
  'or a command to the process in tappaas.yaml, and deploy again';

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

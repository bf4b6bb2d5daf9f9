import { isTapError, type Condition, type Immutable, type KubernetesSecret, type Prepared, type ReconcileContext } from '@tappaas/sdk';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { Build, type Application, type ApplicationObject, type BuildObject } from '@tappaas/sdk/kinds';
import { settleDependencies, type Dependents } from './dependencies.js';
import { lostRoutes } from './lost-routes.js';
import { secretInput, secretsOf } from './secret-copies.js';

const Secret = kubernetesHandle<KubernetesSecret>('', 'Secret');

export interface PrepareParts {
  readonly dependents: Dependents;
  /** Suffixes of default hosts on the loaded clusters. */
  readonly suffixes: readonly string[];
}

/**
 * Determines the inputs of a rendering: the image, the versions of the Secrets in the environment, addresses of other applications, and
 * routes that cannot be served.
 */
export async function prepareApplication(
  application: Immutable<ApplicationObject>,
  context: ReconcileContext<typeof Application>,
  { dependents, suffixes }: PrepareParts,
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
  const routes = await lostRoutes(application, context, suffixes);
  const settled = await settleDependencies(application, context, dependents, routes.owners);
  if ('wait' in settled) {
    const { reason, message, isFinal: failed } = settled.wait;
    return { ready: false, conditions: [{ type: 'Ready', status: 'False', reason, message }], failed };
  }
  return { ready: true, inputs: { ...inputs, ...settled.inputs, ...routes.inputs } };
}

/** Exported for the plugin's permissions. */
export { Secret };

/** The image, which is named directly or built from uploaded source by a Build that this application owns. */
async function settleImage(application: Immutable<ApplicationObject>, context: ReconcileContext<typeof Application>): Promise<Prepared> {
  const { source } = application.spec;
  if (source.image !== undefined) return { ready: true, inputs: { image: source.image } };
  if (source.upload === undefined) return waiting('SourceMissing', 'the application names no source', true);
  const build = await buildOf(application, source.upload.digest, context);
  const built = build.status?.phase === 'Succeeded' ? build.status : undefined;
  const idle = built && built.startedBy === undefined && application.spec.processes.find(({ command }) => command === undefined);
  // An image without a start command does not complete this step: it fails, and the reason is reported below.
  context.progress('build', built && !idle ? 100 : 50);
  if (built?.image !== undefined) {
    if (idle) return waiting('CommandMissing', commandMissing(idle.name), true);
    if (isAwaited(application)) context.event(succeeded(build));
    return {
      ready: true,
      inputs: { image: `${application.metadata.namespace}/${application.metadata.name}@${built.image}`, build: build.metadata.name },
    };
  }
  const ended = build.status?.phase === 'Failed' || (build.status?.phase === 'Cancelled' && build.spec.cancelled === true);
  const why = build.status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? 'it has not begun';
  return waiting(ended ? 'BuildFailed' : building, `build ${build.metadata.name}: ${why}`, ended);
}

/** The reason while the image is being built; the application progresses then. */
const building = 'Building';

/** Whether the status still says that the image is being built. */
function isAwaited({ status }: Immutable<ApplicationObject>): boolean {
  return status?.conditions?.find(({ type }) => type === 'Built')?.reason === building;
}

function succeeded({ metadata, status }: Immutable<BuildObject>) {
  const took = status?.durationMs === undefined ? '' : ` in ${tookText(status.durationMs)}`;
  return { type: 'Normal', reason: 'BuildSucceeded', message: `build ${metadata.name} made an image${took}` } as const;
}

const tookText = (ms: number) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

const commandMissing = (process: string) =>
  `nothing in the source says what process ${process} runs: add a Procfile with a line "web: …", a "start" script to package.json, ` +
  'or a command to the process in tappaas.yaml, and deploy again';

/** Cancels the build of a change that a user has cancelled. */
export async function abandonBuild(
  application: Immutable<ApplicationObject>,
  context: ReconcileContext<typeof Application>,
): Promise<void> {
  const { upload } = application.spec.source;
  if (upload === undefined) return;
  const { namespace } = application.metadata;
  const build = await context.asPlugin.get(Build, { namespace, name: buildName(application, upload.digest) });
  if (build && isUnderWay(build, application)) await cancel(build, application, context);
}

/**
 * Returns the Build of an application and source, creating it if needed: the same upload is built once. Starting one cancels the
 * application's builds of earlier changes.
 */
async function buildOf(
  application: Immutable<ApplicationObject>,
  digest: string,
  context: ReconcileContext<typeof Application>,
): Promise<Immutable<BuildObject>> {
  const { asPlugin } = context;
  const { name: owner, namespace, uid } = application.metadata;
  const name = buildName(application, digest);
  const found = await asPlugin.get(Build, { namespace, name });
  if (found && !isCancelledByEarlier(found, application)) return found;
  for await (const build of asPlugin.list(Build, { namespace, fields: `spec.application=${owner}`, itemsMax: buildsMax })) {
    if (build.metadata.name !== name && isUnderWay(build, application)) await cancel(build, application, context);
  }
  const begins = { type: 'Normal', reason: 'BuildStarted', message: `build ${name} of the uploaded source begins` } as const;
  if (found) {
    const again = { metadata: { annotations: { [cancelledBy]: null } }, spec: { cancelled: false } };
    const begun = await asPlugin.patch(Build, { namespace, name }, again);
    context.event(begins);
    return begun;
  }
  const ownerReferences = [
    { apiVersion: application.apiVersion, kind: application.kind, name: owner, uid, controller: true, blockOwnerDeletion: true },
  ];
  const spec = { application: owner, builder: application.spec.build?.builder ?? 'source', source: { digest } };
  try {
    const begun = await asPlugin.create(Build, { metadata: { name, namespace, ownerReferences }, spec });
    context.event(begins);
    return begun;
  } catch (error) {
    const raced = isTapError(error, 'TAP_OBJECT_EXISTS') ? await asPlugin.get(Build, { namespace, name }) : undefined;
    if (raced === undefined) throw error;
    return raced;
  }
}

/** Maximum number of builds considered for cancellation. */
const buildsMax = 1_000;

const buildName = ({ metadata }: Immutable<ApplicationObject>, digest: string): string =>
  `${metadata.name.slice(0, 240)}-${digest.slice('sha256:'.length, 'sha256:'.length + 12)}`;

/**
 * Whether a build is in progress and owned by the application. A build created by someone else is never cancelled here, whichever
 * application it names.
 */
function isUnderWay({ metadata, spec, status }: Immutable<BuildObject>, application: Immutable<ApplicationObject>): boolean {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  const hasEnded = spec.cancelled === true || status?.phase === 'Succeeded' || status?.phase === 'Failed';
  return owner?.uid === application.metadata.uid && !hasEnded;
}

/**
 * Annotation with the application's generation that cancelled the build: a later generation may want it again. A build cancelled by a user
 * stays cancelled.
 */
const cancelledBy = 'apps.tappaas.dev/cancelled-by-generation';

const generationOf = ({ metadata }: Immutable<ApplicationObject>): string => String(metadata.generation ?? 1);

function isCancelledByEarlier({ metadata, spec }: Immutable<BuildObject>, application: Immutable<ApplicationObject>): boolean {
  const generation = metadata.annotations?.[cancelledBy];
  return spec.cancelled === true && generation !== undefined && generation !== generationOf(application);
}

async function cancel(
  { metadata: { namespace, name } }: Immutable<BuildObject>,
  application: Immutable<ApplicationObject>,
  { asPlugin }: ReconcileContext<typeof Application>,
): Promise<void> {
  const annotations = { [cancelledBy]: generationOf(application) };
  await asPlugin.patch(Build, { namespace, name }, { metadata: { annotations }, spec: { cancelled: true } });
}

function waiting(reason: string, message: string, failed: boolean): Prepared {
  const condition = (type: string): Condition => ({ type, status: 'False', reason, message });
  const progressing: Condition = { ...condition('Progressing'), status: reason === building ? 'True' : 'False' };
  return { ready: false, conditions: [condition('Ready'), condition('Built'), progressing], failed };
}

import { resolve } from 'node:path';
import { refusal, type ApiClient } from '../api-client.js';
import { readDeployable, type ApplicationManifest } from '../application-manifest.js';
import { currentCondition, type ApplicationView } from '../application-view.js';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { applicationPath } from '../paths.js';
import { print } from '../print.js';
import { createStages, type Stages } from '../stages.js';
import { duration } from '../table.js';
import { watchObject } from '../watch-object.js';

const sourcesPath = '/plugins/builds/sources';

/** `tappaas deploy`: source or manifest to an answering URL, by stages. */
export async function deploy(invocation: Invocation): Promise<number> {
  const { terminal, positionals, options, namespace, output } = invocation;
  const text = (option: string) => (typeof options[option] === 'string' ? options[option] : undefined);
  const timeoutMs = secondsOf(text('timeout') ?? '600') * 1000;
  const [name, image] = [text('name'), text('image')];
  const path = resolve(terminal.cwd, positionals[0] ?? '.');
  const { application, sourceDirectory } = await readDeployable(path, {
    namespace,
    ...(name ? { name } : {}),
    ...(image ? { image } : {}),
  });
  const client = await invocation.client();
  const stages = createStages(terminal.stdout, () => terminal.nowMs(), output === 'json' || output === 'yaml');
  const source = sourceDirectory === undefined ? undefined : { upload: { digest: await upload(client, sourceDirectory, stages) } };
  const sent = await apply(client, source ? { ...application, spec: { ...application.spec, source } } : application);
  stages.reached(`application ${sent.metadata.name} taken, generation ${sent.metadata.generation}`);
  if (options['no-wait'] === true) return exitCodes.ok;
  const served = await untilServing(client, sent, timeoutMs, stages);
  await print(invocation, served, () => closing(served, stages));
  return exitCodes.ok;
}

async function upload(client: ApiClient, directory: string, stages: Stages): Promise<string> {
  const { packSource } = await import('../source-archive.js');
  stages.running('packing the source');
  const { digest, bytes, files } = await packSource(directory);
  const path = `${sourcesPath}/${digest}`;
  const known = await client.send(path);
  if (known.status === 204) {
    stages.reached(`source unchanged, ${files} files`);
    return digest;
  }
  stages.running(`uploading ${Math.ceil(bytes.length / 1024)} KiB`);
  const answer = await client.send(path, { method: 'PUT', body: bytes, contentType: 'application/gzip' });
  if (answer.status >= 300) throw refusal(answer);
  stages.reached(`source uploaded, ${files} files, ${Math.ceil(bytes.length / 1024)} KiB`);
  return digest;
}

async function apply(client: ApiClient, application: ApplicationManifest): Promise<ApplicationView> {
  const path = applicationPath(application.metadata.namespace, application.metadata.name);
  const sent = await client.json<ApplicationView>(`${path}?fieldManager=tappaas-cli&force=true`, {
    method: 'PATCH',
    contentType: 'application/apply-patch+yaml',
    body: JSON.stringify(application),
  });
  if (sent) return sent;
  throw new CliError(`the platform has no namespace "${application.metadata.namespace}" or serves no applications`, {
    remedy: `Create it: kubectl create namespace ${application.metadata.namespace}; tappaas plugins lists what is loaded.`,
    exitCode: exitCodes.failed,
  });
}

/** Follows the application and tells each stage once; a stage that was passed unseen is told with the next. */
async function untilServing(client: ApiClient, sent: ApplicationView, timeoutMs: number, stages: Stages): Promise<ApplicationView> {
  const { name, namespace, generation } = sent.metadata;
  let built = false;
  let released: string | undefined;
  let why = 'nothing was heard of it';
  const enough = (application: ApplicationView | undefined): boolean => {
    const ready = currentCondition(application, 'Ready');
    if (application === undefined || ready === undefined) return application === undefined;
    if (!built && currentCondition(application, 'Built')?.status === 'True') {
      built = true;
      stages.reached('image settled');
    }
    if (built && application.status?.release !== undefined && application.status.release !== released) {
      released = application.status.release;
      stages.reached(`release ${released}`);
    }
    why = ready.message;
    stages.running(ready.message);
    return ready.status === 'True' || failures.has(ready.reason);
  };
  const { reached, object } = await watchObject<ApplicationView>(client, applicationPath(namespace), name, timeoutMs, enough);
  const ready = currentCondition(object, 'Ready');
  if (reached && object && ready?.status === 'True') {
    stages.reached('serving');
    return object;
  }
  if (reached && object === undefined) {
    throw new CliError(`application ${name} was deleted while it was deployed`, {
      remedy: 'Deploy it again if that was not meant.',
      exitCode: exitCodes.failed,
    });
  }
  const late = reached ? '' : ` in ${duration(timeoutMs)}`;
  throw new CliError(`application ${name} does not serve generation ${generation}${late}: ${ready?.message ?? why}`, {
    remedy: `See tappaas status ${name} and tappaas logs ${name}.`,
    exitCode: exitCodes.failed,
  });
}

const failures: ReadonlySet<string> = new Set(['BuildFailed', 'RolloutFailed', 'SourceMissing', 'RenderFailed']);

function closing({ metadata, status }: ApplicationView, stages: Stages): string {
  const next = [`tappaas status ${metadata.name}`, `tappaas logs ${metadata.name} -f`, `tappaas delete ${metadata.name}`].map(
    (line) => `  ${line}\n`,
  );
  const where = status?.url === undefined ? `${metadata.name} runs and has no route` : status.url;
  return `\n${where}\n\nDeployed in ${duration(stages.totalMs())}. Next:\n${next.join('')}`;
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds > 0 && seconds <= 86_400) return seconds;
  throw new CliError(`timeout "${text}" is no number of seconds from 1 to 86400`, {
    remedy: 'Write it as --timeout 600.',
    exitCode: exitCodes.usage,
  });
}

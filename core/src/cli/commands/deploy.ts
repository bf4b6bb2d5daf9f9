import { resolve } from 'node:path';
import { ApiError, type Client } from '@tappaas/client';
import { readDeployable, type ApplicationManifest } from '../application-manifest.js';
import { currentCondition, type ApplicationView } from '../application-view.js';
import { calledAs } from '../called-as.js';
import { CliError } from '../cli-error.js';
import { namespaceChoice } from '../manifest-head.js';
import { exitCodes, type Invocation } from '../command.js';
import { followOperation } from '../follow-operation.js';
import { LastOutput } from '../last-output.js';
import { applicationPath } from '../paths.js';
import { print } from '../print.js';
import { secondsOf } from '../seconds.js';
import { createStages, type Stages } from '../stages.js';
import { duration } from '../table.js';

/** `tappaas deploy`: source or manifest to an answering URL, by stages. */
export async function deploy(invocation: Invocation): Promise<number> {
  const { terminal, positionals, options, output } = invocation;
  const text = (option: string) => (typeof options[option] === 'string' ? options[option] : undefined);
  const timeoutMs = secondsOf(text('timeout') ?? '600') * 1000;
  const [name, image] = [text('name'), text('image')];
  const path = resolve(terminal.cwd, positionals[0] ?? '.');
  const { application, sourceDirectory } = await readDeployable(path, {
    namespace: namespaceChoice(invocation),
    ...(name ? { name } : {}),
    ...(image ? { image } : {}),
  });
  const client = await invocation.client();
  const stages = createStages(terminal.stdout, () => terminal.nowMs(), output === 'json' || output === 'yaml');
  const source =
    sourceDirectory === undefined
      ? undefined
      : { upload: { digest: await upload(client, application.metadata.namespace, sourceDirectory, stages) } };
  const { sent, operation } = await apply(client, source ? { ...application, spec: { ...application.spec, source } } : application);
  stages.reached(`application ${sent.metadata.name} taken, generation ${sent.metadata.generation}`);
  if (options['no-wait'] === true) {
    await print(invocation, sent, () => '');
    return exitCodes.ok;
  }
  const served = await untilServing(client, sent, operation, timeoutMs, stages);
  await print(invocation, served, () => closing(served, stages, calledAs(terminal)));
  return exitCodes.ok;
}

interface RouteView {
  readonly instance: string;
  readonly method: string;
  readonly path: string;
}

/** Where uploaded source is taken: the operator has chosen the name of the instance that takes it. */
async function sourcesPath(client: Client): Promise<string> {
  const served = await client.json<{ readonly routes: readonly RouteView[] }>('/plugins/platform/routes');
  const taking = served?.routes.find(({ method, path }) => method === 'PUT' && path === '/sources/:digest');
  if (taking) return `/plugins/${encodeURIComponent(taking.instance)}/sources`;
  throw new CliError('no loaded plugin takes source', {
    remedy: 'Load @tappaas/controller-build, or deploy an image with --image.',
    exitCode: exitCodes.failed,
  });
}

async function upload(client: Client, namespace: string, directory: string, stages: Stages): Promise<string> {
  const { packSource } = await import('../source-archive.js');
  stages.running('packing the source');
  const { digest, bytes, files } = await packSource(directory);
  const path = `${await sourcesPath(client)}/${digest}?namespace=${encodeURIComponent(namespace)}`;
  const known = await client.send(path);
  if (known.status === 204) {
    stages.reached(`source unchanged, ${files} files`);
    return digest;
  }
  stages.running(`uploading ${Math.ceil(bytes.length / 1024)} KiB`);
  const answer = await client.send(path, { method: 'PUT', body: bytes, contentType: 'application/gzip' });
  if (answer.status >= 300) throw ApiError.of(answer);
  stages.reached(`source uploaded, ${files} files, ${Math.ceil(bytes.length / 1024)} KiB`);
  return digest;
}

interface Taken {
  readonly sent: ApplicationView;
  /** Of the change; nothing changed: that of the spec as it is. */
  readonly operation: string | undefined;
}

async function apply(client: Client, application: ApplicationManifest): Promise<Taken> {
  const { name, namespace } = application.metadata;
  const answer = await client.send(`${applicationPath(namespace, name)}?fieldManager=tappaas-cli&force=true`, {
    method: 'PATCH',
    contentType: 'application/apply-patch+yaml',
    body: JSON.stringify(application),
  });
  if (answer.status === 404) {
    throw new CliError(`the platform has no namespace "${namespace}" or serves no applications`, {
      remedy: `Create it: kubectl create namespace ${namespace}; tappaas plugins lists what is loaded.`,
      exitCode: exitCodes.failed,
    });
  }
  if (answer.status >= 300) throw ApiError.of(answer);
  const sent = JSON.parse(answer.text) as ApplicationView;
  const location = answer.header('location')?.split('/').at(-1);
  return { sent, operation: location === undefined ? sent.status?.operation : decodeURIComponent(location) };
}

/** Follows the operation to its end; what kept it from succeeding is told in the platform's own words. */
async function untilServing(
  client: Client,
  { metadata: { name, namespace, generation } }: ApplicationView,
  operation: string | undefined,
  timeoutMs: number,
  stages: Stages,
): Promise<ApplicationView> {
  let waitsFor: string | undefined;
  const output = new LastOutput(client, { namespace, name });
  const followed = await followOperation(client, { namespace, name: operation ?? '' }, timeoutMs, stages, (step) => {
    waitsFor = step.message;
    if (step.name === 'rollout' && step.message !== undefined) output.lookFor(step.message);
    // Rendering takes no time: if it waits for something, a plugin has failed.
    return step.name === 'render' && step.message !== undefined;
  });
  const application = await client.json<ApplicationView>(applicationPath(namespace, name));
  if (application === undefined) {
    throw new CliError(`application ${name} was deleted while it was deployed`, {
      remedy: 'Deploy it again if that was not meant.',
      exitCode: exitCodes.failed,
    });
  }
  const ready = currentCondition(application, 'Ready');
  const { phase, error } = followed.object?.status ?? {};
  if (followed.reached && ready?.status === 'True' && (phase === 'Succeeded' || phase === undefined)) return application;
  const late = followed.reached ? '' : ` in ${duration(timeoutMs)}`;
  const why = error ?? waitsFor ?? ready?.message ?? 'nothing was heard of it';
  const lines = await output.lines();
  const wrote = lines.length === 0 ? '' : `\n  It wrote last:\n${lines.map((line) => `    ${line}`).join('\n')}`;
  const more = `tappaas status ${name}${lines.length === 0 ? `, tappaas logs ${name}` : ''}`;
  throw new CliError(`application ${name} does not serve generation ${generation}${late}: ${why}${wrote}`, {
    remedy: `Mend it and deploy again; see ${more}${operation === undefined ? '' : ` and tappaas operations ${operation}`}.`,
    exitCode: exitCodes.failed,
  });
}

function closing({ metadata, status }: ApplicationView, stages: Stages, called: string): string {
  const next = [`status ${metadata.name}`, `logs ${metadata.name} -f`, `delete ${metadata.name}`].map((words) => `  ${called} ${words}\n`);
  const where = status?.url === undefined ? `${metadata.name} runs and has no route` : status.url;
  return `\n${where}\n\nDeployed in ${duration(stages.totalMs())}. Next:\n${next.join('')}`;
}

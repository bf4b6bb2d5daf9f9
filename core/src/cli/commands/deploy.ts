import { resolve } from 'node:path';
import { ApiError, type Client } from '@tappaas/client';
import { readDeployable, type ApplicationManifest } from '../application-manifest.js';
import { pinOf, type ApplicationView } from '../application-view.js';
import { calledAs, inNamespace } from '../called-as.js';
import { CliError } from '../cli-error.js';
import { namespaceChoice } from '../manifest-head.js';
import { exitCodes, type Invocation } from '../command.js';
import { applicationPath } from '../paths.js';
import { print } from '../print.js';
import { secondsOf } from '../seconds.js';
import { createStages, type Stages } from '../stages.js';
import { duration } from '../table.js';
import type { Terminal } from '../terminal.js';
import { changeOf, untilServing, type Change } from '../until-serving.js';

/** `tappaas deploy`: deploys source or a manifest in stages until its URL responds. */
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
  const change = await apply(client, source ? { ...application, spec: { ...application.spec, source } } : application);
  const { sent } = change;
  stages.reached(`application ${sent.metadata.name} taken, generation ${sent.metadata.generation}`);
  if (options['no-wait'] === true) {
    await print(invocation, sent, () => '');
    return exitCodes.ok;
  }
  const served = await untilServing(client, change, timeoutMs, stages, { next: 'Fix it and deploy again', terminal });
  await print(invocation, served, () => closing(served, stages, terminal));
  return exitCodes.ok;
}

interface RouteView {
  readonly instance: string;
  readonly method: string;
  readonly path: string;
}

/** Returns the path for uploading source; the name of the plugin instance depends on the configuration. */
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

async function apply(client: Client, application: ApplicationManifest): Promise<Change> {
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
  return changeOf(answer);
}

function closing(application: ApplicationView, stages: Stages, terminal: Terminal): string {
  const { metadata, status } = application;
  const [called, place] = [calledAs(terminal), inNamespace(terminal, metadata.namespace)];
  const pin = pinOf(application);
  if (pin !== undefined) {
    const stays = `${metadata.name} is pinned to release ${pin}, which goes on serving; what was deployed now serves after`;
    return `\n${stays}\n  ${called} rollback ${metadata.name} --unpin${place}\n`;
  }
  const next = [`status ${metadata.name}`, `logs ${metadata.name} -f`, `delete ${metadata.name}`].map(
    (words) => `  ${called} ${words}${place}\n`,
  );
  const where = status?.url === undefined ? `${metadata.name} runs and has no route` : status.url;
  return `\n${where}\n\nDeployed in ${duration(stages.totalMs())}. Next:\n${next.join('')}`;
}

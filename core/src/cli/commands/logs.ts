import type { Client } from '@tappaas/client';
import type { ApplicationView } from '../application-view.js';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { applicationPath, kindPath } from '../paths.js';
import { unknownApplication } from './delete.js';

interface ReleaseView {
  readonly spec: { readonly cluster: string; readonly objects: readonly { readonly metadata?: { readonly namespace?: string } }[] };
}

interface PodView {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}

/** `tappaas logs APPLICATION`: the lines of all its pods, each headed by the pod's name when there are several. */
export async function logs({ terminal, positionals, options, namespace, client: connect }: Invocation): Promise<number> {
  const [name = ''] = positionals;
  const client = await connect();
  const place = await placeOf(client, namespace, name);
  const selector = [
    `app.kubernetes.io/instance=${name}`,
    ...(typeof options['process'] === 'string' ? [`app.kubernetes.io/component=${options['process']}`] : []),
  ];
  const found = await client.json<{ items: readonly PodView[] }>(`${place}/pods?labelSelector=${encodeURIComponent(selector.join(','))}`);
  const pods = found?.items ?? [];
  if (pods.length === 0)
    throw new CliError(`application ${name} has no pods`, { remedy: `tappaas status ${name} says why.`, exitCode: exitCodes.failed });
  const query = new URLSearchParams({
    tailLines: typeof options['tail'] === 'string' ? options['tail'] : '100',
    ...(options['follow'] === true ? { follow: 'true' } : {}),
  });
  await Promise.all(
    pods.map(async ({ metadata }) => {
      const head = pods.length > 1 ? `${metadata.name}  ` : '';
      const lines = client.lines(`${place}/pods/${metadata.name}/log?${query.toString()}`, new AbortController().signal);
      for await (const line of lines) terminal.stdout.write(`${head}${line}\n`);
    }),
  );
  return exitCodes.ok;
}

/** API path of the namespace in which an application's pods are. */
async function placeOf(client: Client, namespace: string, name: string): Promise<string> {
  const application = await client.json<ApplicationView>(applicationPath(namespace, name));
  if (application === undefined) throw unknownApplication(name, namespace);
  const release = application.status?.release;
  const rendered = release === undefined ? undefined : await client.json<ReleaseView>(kindPath('releases', namespace, release));
  if (rendered === undefined) {
    throw new CliError(`application ${name} has no release yet`, {
      remedy: `tappaas status ${name} says what it waits for.`,
      exitCode: exitCodes.failed,
    });
  }
  const there = rendered.spec.objects.find(({ metadata }) => metadata?.namespace)?.metadata?.namespace ?? namespace;
  return `/clusters/${rendered.spec.cluster}/api/v1/namespaces/${there}`;
}

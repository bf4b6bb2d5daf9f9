import type { Client } from '@tappaas/client';
import type { ApplicationView } from '../application-view.js';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { applicationPath, kindPath } from '../paths.js';
import { printEach } from '../print.js';
import { unknownApplication } from './delete.js';

interface ReleaseView {
  readonly spec: { readonly cluster: string; readonly objects: readonly { readonly metadata?: { readonly namespace?: string } }[] };
}

interface PodView {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}

/** `tappaas logs APPLICATION`: the lines of all its pods, each headed by the pod's name when there are several. */
export async function logs(invocation: Invocation): Promise<number> {
  const { positionals, options, namespace, output, client: connect } = invocation;
  const [name = ''] = positionals;
  const client = await connect();
  const place = await placeOf(client, namespace, name);
  const selector = [
    `app.kubernetes.io/instance=${name}`,
    ...(typeof options['process'] === 'string' ? [`app.kubernetes.io/component=${options['process']}`] : []),
  ];
  const found = await client.json<{ items: readonly PodView[] }>(`${place}/pods?labelSelector=${encodeURIComponent(selector.join(','))}`);
  const pods = (found?.items ?? []).map(({ metadata }) => metadata.name);
  if (pods.length === 0)
    throw new CliError(`application ${name} has no pods`, { remedy: `tappaas status ${name} says why.`, exitCode: exitCodes.failed });
  const asked: AskedLog = {
    tailLines: typeof options['tail'] === 'string' ? options['tail'] : '100',
    ...(options['follow'] === true ? { follow: 'true' } : {}),
  };
  const isForPrograms = output === 'json' || output === 'yaml';
  await Promise.all(
    pods.map((pod) =>
      isForPrograms
        ? showRecords(invocation, client, { place, pod, asked })
        : showLines(invocation, client, { place, pod, asked }, pods.length > 1 ? `${pod}  ` : ''),
    ),
  );
  return exitCodes.ok;
}

type AskedLog = Readonly<Record<string, string>>;

interface PodLog {
  readonly place: string;
  readonly pod: string;
  readonly asked: AskedLog;
}

async function showLines({ terminal }: Invocation, client: Client, log: PodLog, head: string): Promise<void> {
  for await (const line of linesOf(client, log)) terminal.stdout.write(`${head}${line}\n`);
}

/** For programs each line says when, where and on which output it was written; output that is there already comes in the order of time. */
async function showRecords(invocation: Invocation, client: Client, log: PodLog): Promise<void> {
  const present: LogRecord[] = [];
  const { follow, tailLines } = log.asked;
  await Promise.all(
    streams.map(async (stream) => {
      const asked = { ...log.asked, timestamps: 'true', stream };
      for await (const line of linesOf(client, { ...log, asked })) {
        const record = recordOf(log.pod, stream, line);
        if (follow === undefined) present.push(record);
        else await printEach(invocation, record, () => '');
      }
    }),
  );
  const inOrder = present.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  for (const record of inOrder.slice(-Number(tailLines))) await printEach(invocation, record, () => '');
}

const streams = ['Stdout', 'Stderr'] as const;

interface LogRecord {
  readonly time: string;
  readonly pod: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

function recordOf(pod: string, stream: (typeof streams)[number], line: string): LogRecord {
  const [, time = '', text = ''] = /^(\S+) (.*)$/s.exec(line) ?? [];
  return { time, pod, stream: stream === 'Stdout' ? 'stdout' : 'stderr', text };
}

function linesOf(client: Client, { place, pod, asked }: PodLog): AsyncGenerator<string> {
  return client.lines(`${place}/pods/${pod}/log?${new URLSearchParams(asked).toString()}`, new AbortController().signal);
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

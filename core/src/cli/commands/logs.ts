import type { Client } from '@tappaas/client';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { podsOfApplication } from '../pods-of-application.js';
import { printEach } from '../print.js';

/** `tappaas logs APPLICATION`: the lines of all its pods, each headed by the pod's name when there are several. */
export async function logs(invocation: Invocation): Promise<number> {
  const { positionals, options, namespace, output, client: connect } = invocation;
  const [name = ''] = positionals;
  const tailLines = tailOf(options['tail']);
  const client = await connect();
  const { process } = options;
  const found = await podsOfApplication(client, { namespace, name, ...(typeof process === 'string' && { process }) });
  const { place } = found;
  const pods = found.pods.map(({ metadata }) => metadata.name);
  if (pods.length === 0)
    throw new CliError(`application ${name} has no pods`, { remedy: `tappaas status ${name} says why.`, exitCode: exitCodes.failed });
  const asked: AskedLog = {
    tailLines,
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

function tailOf(value: string | boolean | undefined): string {
  if (value === undefined) return '100';
  if (typeof value === 'string' && /^\d{1,9}$/.test(value)) return value;
  throw new CliError(`tail "${String(value)}" is no number of lines`, { remedy: 'Write it as --tail 100.', exitCode: exitCodes.usage });
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

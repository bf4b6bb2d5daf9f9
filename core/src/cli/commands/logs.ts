import type { Client } from '@tappaas/client';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { recordOf, streams, type LogRecord } from '../log-record.js';
import { noPods, podsOfApplication, startedOrAll } from '../pods-of-application.js';
import { printEach } from '../print.js';
import { isForPrograms } from '../watching-options.js';

/** `tappaas logs APPLICATION`: shows the lines of all its pods, each prefixed with the pod's name if there are several. */
export async function logs(invocation: Invocation): Promise<number> {
  const { positionals, options, namespace, client: connect } = invocation;
  const [name = ''] = positionals;
  const tailLines = tailOf(options['tail']);
  const client = await connect();
  const process = typeof options['process'] === 'string' ? { process: options['process'] } : {};
  const { place, pods: found } = await podsOfApplication(client, { namespace, name, ...process });
  if (options['follow'] === true) {
    const { followLogs } = await import('../log-feed.js');
    return followLogs(invocation, client, { name, ...process, place, found, tailLines: Number(tailLines) });
  }
  const pods = startedOrAll(found).map(({ metadata }) => metadata.name);
  if (pods.length === 0) throw noPods(name);
  await Promise.all(
    pods.map((pod) =>
      isForPrograms(invocation)
        ? showRecords(invocation, client, { place, pod, tailLines })
        : showLines(invocation, client, { place, pod, tailLines }, pods.length > 1 ? `${pod}  ` : ''),
    ),
  );
  return exitCodes.ok;
}

function tailOf(value: string | boolean | undefined): string {
  if (value === undefined) return '100';
  if (typeof value === 'string' && /^\d{1,9}$/.test(value)) return value;
  throw new CliError(`tail "${String(value)}" is no number of lines`, { remedy: 'Write it as --tail 100.', exitCode: exitCodes.usage });
}

interface PodLog {
  readonly place: string;
  readonly pod: string;
  readonly tailLines: string;
}

async function showLines({ terminal }: Invocation, client: Client, log: PodLog, head: string): Promise<void> {
  for await (const line of linesOf(client, log)) terminal.stdout.write(`${head}${line}\n`);
}

/** Prints records for programs, ordered by time; each has the time, the place and the stream of its line. */
async function showRecords(invocation: Invocation, client: Client, log: PodLog): Promise<void> {
  const records: LogRecord[] = [];
  await Promise.all(
    streams.map(async (stream) => {
      for await (const line of linesOf(client, log, { timestamps: 'true', stream })) records.push(recordOf(log.pod, stream, line));
    }),
  );
  const inOrder = records.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  for (const record of inOrder.slice(-Number(log.tailLines))) await printEach(invocation, record, () => '');
}

function linesOf(client: Client, { place, pod, tailLines }: PodLog, more: Readonly<Record<string, string>> = {}): AsyncGenerator<string> {
  return client.lines(`${place}/pods/${pod}/log?${new URLSearchParams({ tailLines, ...more }).toString()}`, new AbortController().signal);
}

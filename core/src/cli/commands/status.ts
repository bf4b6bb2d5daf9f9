import type { Client } from '@tappaas/client';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { eventsOf, eventTable, type EventView } from '../event-view.js';
import { harmless } from '../harmless.js';
import { lastOutputOf } from '../last-output.js';
import { applicationPath } from '../paths.js';
import { print, printEach } from '../print.js';
import { textTable } from '../table.js';
import { isForPrograms, isWatching } from '../watching-options.js';
import { unknownApplication } from './delete.js';
import { pinOf, type ApplicationView } from '../application-view.js';

/** Number of latest events shown; `tappaas events` shows the rest. */
const eventsMax = 10;

/** `tappaas status APPLICATION` */
export async function status(invocation: Invocation): Promise<number> {
  const [name = ''] = invocation.positionals;
  const { namespace, output, terminal } = invocation;
  const client = await invocation.client();
  const application = await client.json<ApplicationView>(applicationPath(namespace, name));
  if (application === undefined) throw unknownApplication(name, namespace);
  if (isWatching(invocation)) return watch(invocation, client, name);
  const isReady = application.status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
  const isReadable = output !== 'json' && output !== 'yaml';
  const events = isReadable ? await eventsOf(client, namespace, name) : [];
  const wrote = isReadable && !isReady ? await lastOutputOf(client, { namespace, name }) : [];
  await print(
    invocation,
    application,
    () => `${describe(application)}${happened(events.slice(0, eventsMax), terminal.nowMs())}${writtenLast(wrote)}`,
  );
  return isReady ? 0 : 1;
}

/** Prints the status again whenever it changes, until Ctrl-C or until the application is gone. */
async function watch(invocation: Invocation, client: Client, name: string): Promise<number> {
  const { namespace, terminal } = invocation;
  let printed = '';
  const watched = { fields: `metadata.name=${name}`, signal: new AbortController().signal };
  for await (const event of client.watch<ApplicationView>(applicationPath(namespace), watched)) {
    if (event.type === 'SYNCED' && printed !== '') continue;
    if (event.type === 'SYNCED' || event.type === 'DELETED') {
      throw new CliError(`application ${name} was deleted`, {
        remedy: 'tappaas apps lists those that are left.',
        exitCode: exitCodes.failed,
      });
    }
    const text = describe(event.object);
    if (isForPrograms(invocation)) await printEach(invocation, event.object, () => '');
    else if (text !== printed) terminal.stdout.write(harmless(`${printed === '' ? '' : '\n'}${text}`));
    printed = text;
  }
  return exitCodes.ok;
}

function happened(events: readonly EventView[], nowMs: number): string {
  return events.length === 0 ? '' : `\n${eventTable(events, nowMs)}`;
}

function writtenLast(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\nA process that has ended wrote last:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function describe(application: ApplicationView): string {
  const { metadata, status: is } = application;
  const facts = [
    ['Application', `${metadata.namespace}/${metadata.name}`],
    ['URL', is?.url ?? '-'],
    ['Release', is?.release ?? '-'],
    ...(pinOf(application) === undefined ? [] : [['Pinned to', pinOf(application)]]),
    ['Cluster', is?.cluster ?? '-'],
  ].map(([label = '', value = '']) => `${label.padEnd(13)}${value}`);
  const processes = textTable(
    ['PROCESS', 'READY', 'UPDATED', 'RESTARTS'],
    (is?.processes ?? []).map(({ name, ready, desired, updated, restarts }) => [
      name,
      `${ready}/${desired}`,
      String(updated),
      String(restarts),
    ]),
  );
  const conditions = textTable(
    ['CONDITION', 'STATUS', 'REASON', 'MESSAGE'],
    (is?.conditions ?? []).map(({ type, status: value, reason, message }) => [type, value, reason, message]),
  );
  return `${facts.join('\n')}\n\n${processes}\n${conditions}`;
}

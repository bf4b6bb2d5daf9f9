import type { Client } from '@tappaas/client';
import { exitCodes, type Invocation } from '../command.js';
import {
  aboutApplication,
  eventListPath,
  eventRows,
  eventTable,
  lastFirst,
  readEvents,
  type EventsAbout,
  type EventView,
} from '../event-view.js';
import { placeOf } from '../listed.js';
import { eventPath } from '../paths.js';
import { print, printEach } from '../print.js';
import { GrowingTable } from '../table.js';
import { isForPrograms, isWatching } from '../watching-options.js';

/** `tappaas events [APPLICATION]` */
export async function events(invocation: Invocation): Promise<number> {
  const [application] = invocation.positionals;
  const isAll = invocation.options['all-namespaces'] === true;
  const client = await invocation.client();
  const about = isAll ? 'namespace' : application === undefined ? 'object' : undefined;
  if (isWatching(invocation)) return watch(invocation, client, { namespace: isAll ? undefined : invocation.namespace, application, about });
  const path = eventListPath(isAll ? undefined : invocation.namespace, application);
  const list = await readEvents(client, path);
  await print(invocation, list, () => {
    if (list.items.length === 0) return nothing(placeOf(invocation), application);
    const more = list.metadata?.continue ? 'There are more, and later ones may be among them: name an application or a namespace.\n' : '';
    return eventTable(lastFirst(list), invocation.terminal.nowMs(), about) + more;
  });
  return exitCodes.ok;
}

interface Watched {
  readonly namespace: string | undefined;
  readonly application: string | undefined;
  readonly about: EventsAbout;
}

/** Shows the existing events, latest last, and then new ones until Ctrl-C. */
async function watch(invocation: Invocation, client: Client, { namespace, application, about }: Watched): Promise<number> {
  const { terminal } = invocation;
  const table = new GrowingTable();
  let present: EventView[] | undefined = [];
  const watched = {
    signal: new AbortController().signal,
    ...(application !== undefined && { fields: aboutApplication(application) }),
  };
  for await (const event of client.watch<EventView>(eventPath(namespace), watched)) {
    if (event.type === 'DELETED') continue;
    if (isForPrograms(invocation)) {
      if (event.type !== 'SYNCED') await printEach(invocation, event.object, () => '');
    } else if (event.type !== 'SYNCED') {
      if (present !== undefined) present.push(event.object);
      else for (const row of eventRows([event.object], terminal.nowMs(), about).rows) terminal.stdout.write(table.add(row));
    } else if (present !== undefined) {
      const { header, rows } = eventRows(lastFirst({ items: present }).toReversed(), terminal.nowMs(), about);
      terminal.stdout.write(table.begin(header, rows));
      present = undefined;
    }
  }
  return exitCodes.ok;
}

const nothing = (place: string, application: string | undefined): string =>
  application === undefined
    ? `No events in ${place} in the last hour.\n`
    : `No events of application ${application} in ${place} in the last hour; tappaas status ${application} says how it is.\n`;

import { exitCodes, type Invocation } from '../command.js';
import { eventListPath, eventTable, lastFirst, readEvents } from '../event-view.js';
import { print } from '../print.js';

/** `tappaas events [APPLICATION]` */
export async function events(invocation: Invocation): Promise<number> {
  const [application] = invocation.positionals;
  const isAll = invocation.options['all-namespaces'] === true;
  const client = await invocation.client();
  const path = eventListPath(isAll ? undefined : invocation.namespace, application);
  const list = await readEvents(client, path);
  await print(invocation, list, () => {
    if (list.items.length === 0) return nothing(isAll ? 'any namespace' : `namespace ${invocation.namespace}`, application);
    const about = isAll ? 'namespace' : application === undefined ? 'object' : undefined;
    const more = list.metadata?.continue ? 'There are more, and later ones may be among them: name an application or a namespace.\n' : '';
    return eventTable(lastFirst(list), invocation.terminal.nowMs(), about) + more;
  });
  return exitCodes.ok;
}

const nothing = (place: string, application: string | undefined): string =>
  application === undefined
    ? `Nothing was told in ${place} in the last hour.\n`
    : `Nothing was told of application ${application} in ${place} in the last hour; tappaas status ${application} says how it is.\n`;

import type { Client } from '@tappaas/client';
import { exitCodes, type Invocation } from './command.js';
import { printEach, tableType, textOf, type RowObject, type ServerTable } from './print.js';
import { GrowingTable } from './table.js';
import { isForPrograms } from './watching-options.js';

/**
 * Shows a collection and then its changes until Ctrl-C: a line for each change visible in the platform's table, or, for programs, the
 * current state of each changed object.
 */
export async function watchTable(invocation: Invocation, client: Client, path: string): Promise<number> {
  const { terminal, output } = invocation;
  const table = new GrowingTable();
  const known = new Map<string, Shown>();
  const look = async (at: string) => {
    const found = (await client.json<ServerTable>(at, { accept: tableType })) ?? { columnDefinitions: [], rows: [] };
    const { header, rows } = textOf(found, output === 'wide');
    // A change of age alone is not shown.
    const age = header.indexOf('AGE');
    const news = rows.filter((row, index) => {
      const object = found.rows[index]?.object;
      if (object === undefined) return true;
      const shown = { version: object.metadata.resourceVersion, row, text: row.filter((_, column) => column !== age).join('\n') };
      const before = known.get(keyOf(object));
      known.set(keyOf(object), shown);
      return before?.text !== shown.text;
    });
    return { header, news };
  };
  let isComplete = false;
  for await (const event of client.watch<RowObject>(path, { signal: new AbortController().signal })) {
    if (isForPrograms(invocation)) {
      if (event.type !== 'SYNCED') await printEach(invocation, event.object, () => '');
    } else if (event.type === 'SYNCED') {
      if (isComplete) continue;
      isComplete = true;
      const { header, news } = await look(path);
      terminal.stdout.write(table.begin(header, news));
    } else if (isComplete) {
      const before = known.get(keyOf(event.object));
      if (event.type === 'DELETED') {
        known.delete(keyOf(event.object));
        if (before !== undefined) terminal.stdout.write(table.add([...before.row, 'deleted']));
      } else if (before?.version !== event.object.metadata.resourceVersion) {
        for (const row of (await look(pathOf(path, event.object))).news) terminal.stdout.write(table.add(row));
      }
    }
  }
  return exitCodes.ok;
}

/** A row as last written. */
interface Shown {
  readonly version: string;
  readonly row: readonly string[];
  readonly text: string;
}

const keyOf = ({ metadata: { namespace = '', name } }: RowObject): string => `${namespace}/${name}`;

/** Returns the path of an object in a collection, which may cover all namespaces. */
function pathOf(collection: string, { metadata: { namespace = '', name } }: RowObject): string {
  const isOfAll = !collection.includes('/namespaces/');
  const own = isOfAll ? collection.replace(/\/(?<plural>[^/]+)$/, `/namespaces/${encodeURIComponent(namespace)}/$<plural>`) : collection;
  return `${own}/${encodeURIComponent(name)}`;
}

import type { Client } from '@tappaas/client';
import { CliError } from './cli-error.js';
import { exitCodes, type Invocation } from './command.js';
import { print, renderTable, tableType, type ServerTable } from './print.js';
import { isForPrograms } from './watching-options.js';

/** Prints the collection at a path: for people as the platform's table, or `empty` when there are no items. */
export async function printList(invocation: Invocation, client: Client, path: string, empty: string): Promise<number> {
  const isTable = !isForPrograms(invocation);
  const list = await client.json<object>(path, isTable ? { accept: tableType } : {});
  if (list === undefined) {
    throw new CliError(`the platform has no list at ${path}`, {
      remedy: 'tappaas plugins lists what is loaded.',
      exitCode: exitCodes.failed,
    });
  }
  const rendered = () => {
    const table = list as ServerTable;
    return table.rows.length > 0 ? renderTable(table, invocation.output === 'wide') : empty;
  };
  await print(invocation, list, rendered);
  return exitCodes.ok;
}

/** Describes the namespaces that a list covers. */
export const placeOf = ({ options, namespace }: Invocation): string =>
  options['all-namespaces'] === true ? 'any namespace' : `namespace ${namespace}`;

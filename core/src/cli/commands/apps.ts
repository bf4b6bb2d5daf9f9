import type { Invocation } from '../command.js';
import { allApplicationsPath, applicationPath } from '../paths.js';
import { isWatching } from '../watching-options.js';
import { watchTable } from '../watching.js';
import { print, renderTable, tableType, type ServerTable } from '../print.js';

/** `tappaas apps` */
export async function apps(invocation: Invocation): Promise<number> {
  const client = await invocation.client();
  const path = invocation.options['all-namespaces'] === true ? allApplicationsPath : applicationPath(invocation.namespace);
  if (isWatching(invocation)) return watchTable(invocation, client, path);
  if (invocation.output === 'json' || invocation.output === 'yaml') {
    await print(invocation, await client.json<object>(path), () => '');
    return 0;
  }
  const table = await client.json<ServerTable>(path, { accept: tableType });
  const empty = `No applications in namespace ${invocation.namespace}. Deploy one: tappaas deploy DIRECTORY\n`;
  invocation.terminal.stdout.write(table?.rows.length ? renderTable(table, invocation.output === 'wide') : empty);
  return 0;
}

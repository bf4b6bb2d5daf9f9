import type { Invocation } from '../command.js';
import { placeOf, printList } from '../listed.js';
import { allApplicationsPath, applicationPath } from '../paths.js';
import { isWatching } from '../watching-options.js';
import { watchTable } from '../watching.js';

/** `tappaas apps` */
export async function apps(invocation: Invocation): Promise<number> {
  const client = await invocation.client();
  const path = invocation.options['all-namespaces'] === true ? allApplicationsPath : applicationPath(invocation.namespace);
  if (isWatching(invocation)) return watchTable(invocation, client, path);
  return printList(invocation, client, path, `No applications in ${placeOf(invocation)}. Deploy one: tappaas deploy DIRECTORY\n`);
}

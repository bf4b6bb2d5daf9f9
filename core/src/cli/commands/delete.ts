import { inNamespace } from '../called-as.js';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { applicationPath } from '../paths.js';
import { print } from '../print.js';
import { duration } from '../table.js';

const waitMsMax = 120_000;

/** `tappaas delete APPLICATION`: waits until everything the application ran is gone. */
export async function deleteApplication(invocation: Invocation): Promise<number> {
  const { terminal, positionals, options, namespace, client: connect } = invocation;
  const [name = ''] = positionals;
  const client = await connect();
  const path = applicationPath(namespace, name);
  const startMs = terminal.nowMs();
  const answer = await client.json<object>(path, { method: 'DELETE' });
  if (answer === undefined) throw unknownApplication(name, namespace);
  if (options['no-wait'] === true) {
    await print(invocation, { namespace, name, deleted: false }, () => `application ${name} is being deleted\n`);
    return exitCodes.ok;
  }
  const gone = await client.until({ collection: applicationPath(namespace), name, timeoutMs: waitMsMax }, (object) => object === undefined);
  if (!gone.reached) {
    throw new CliError(`application ${name} is still being deleted after ${duration(waitMsMax)}`, {
      remedy: `tappaas status ${name}${inNamespace(terminal, namespace)} says what holds it.`,
      exitCode: exitCodes.failed,
    });
  }
  const tookMs = terminal.nowMs() - startMs;
  await print(invocation, { namespace, name, deleted: true, tookMs }, () => `application ${name} deleted (${duration(tookMs)})\n`);
  return exitCodes.ok;
}

/** The error for a name that does not exist. */
export function unknownApplication(name: string, namespace: string): CliError {
  return new CliError(`there is no application "${name}" in namespace ${namespace}`, {
    remedy: 'tappaas apps -A lists all of them.',
    exitCode: exitCodes.failed,
  });
}

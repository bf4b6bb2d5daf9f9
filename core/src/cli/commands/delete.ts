import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { applicationPath } from '../paths.js';
import { duration } from '../table.js';

const waitMsMax = 120_000;

/** `tappaas delete APPLICATION`: waits until everything it ran is gone. */
export async function deleteApplication({ terminal, positionals, options, namespace, client: connect }: Invocation): Promise<number> {
  const [name = ''] = positionals;
  const client = await connect();
  const path = applicationPath(namespace, name);
  const startMs = terminal.nowMs();
  const answer = await client.json<object>(path, { method: 'DELETE' });
  if (answer === undefined) throw unknownApplication(name, namespace);
  if (options['no-wait'] === true) {
    terminal.stdout.write(`application ${name} is being deleted\n`);
    return exitCodes.ok;
  }
  const gone = await client.until({ collection: applicationPath(namespace), name, timeoutMs: waitMsMax }, (object) => object === undefined);
  if (!gone.reached) {
    throw new CliError(`application ${name} is still being deleted after ${duration(waitMsMax)}`, {
      remedy: `tappaas status ${name} says what holds it.`,
      exitCode: exitCodes.failed,
    });
  }
  terminal.stdout.write(`application ${name} deleted (${duration(terminal.nowMs() - startMs)})\n`);
  return exitCodes.ok;
}

/** The error for a name that does not exist. */
export function unknownApplication(name: string, namespace: string): CliError {
  return new CliError(`there is no application "${name}" in namespace ${namespace}`, {
    remedy: 'tappaas apps -A lists all of them.',
    exitCode: exitCodes.failed,
  });
}

import { resolve } from 'node:path';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { explained } from '../explained.js';
import { print, renderTable, tableType, type ServerTable } from '../print.js';

const path = '/apis/platform.tappaas.dev/v1alpha1/plugins';

/** `tappaas plugins`, and `tappaas plugins approve INSTANCE`, which changes the lock file beside the configuration. */
export async function plugins(invocation: Invocation): Promise<number> {
  const [verb, instance] = invocation.positionals;
  if (verb !== undefined) return approve(invocation, verb, instance);
  const client = await invocation.client();
  if (invocation.output === 'json' || invocation.output === 'yaml') {
    await print(invocation, await client.json<object>(path), () => '');
    return exitCodes.ok;
  }
  const table = await client.json<ServerTable>(path, { accept: tableType });
  if (table) invocation.terminal.stdout.write(renderTable(table, invocation.output === 'wide'));
  return exitCodes.ok;
}

async function approve({ terminal, options }: Invocation, verb: string, instance: string | undefined): Promise<number> {
  if (verb !== 'approve' || instance === undefined) {
    throw new CliError(`plugins: "${verb}" is unknown`, {
      remedy: 'Usage: tappaas plugins, or tappaas plugins approve INSTANCE.',
      exitCode: exitCodes.usage,
    });
  }
  const { approvePlugin } = await import('../../kernel/lock/approve.js');
  const file = resolve(terminal.cwd, typeof options['file'] === 'string' ? options['file'] : 'tappaas.yaml');
  const approved = await approvePlugin(file, instance).catch(explained);
  terminal.stdout.write(`${approved}\n`);
  return exitCodes.ok;
}

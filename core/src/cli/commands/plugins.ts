import { resolve } from 'node:path';
import { ApiError } from '@tappaas/client';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { explained } from '../explained.js';
import { print, renderTable, tableType, type ServerTable } from '../print.js';

const path = '/apis/platform.tappaas.dev/v1alpha1/plugins';

/** `tappaas plugins`; `approve INSTANCE` changes the lock file beside the configuration; `purge KIND` removes what a plugin left behind. */
export async function plugins(invocation: Invocation): Promise<number> {
  const [verb, operand] = invocation.positionals;
  if (verb === 'approve' && operand !== undefined) return approve(invocation, operand);
  if (verb === 'purge' && operand !== undefined) return purge(invocation, operand);
  if (verb !== undefined)
    throw new CliError(
      operand === undefined && ['approve', 'purge'].includes(verb) ? `plugins ${verb} needs a name` : `plugins: "${verb}" is unknown`,
      {
        remedy: 'Usage: tappaas plugins, plugins approve INSTANCE, or plugins purge KIND --yes.',
        exitCode: exitCodes.usage,
      },
    );
  const client = await invocation.client();
  if (invocation.output === 'json' || invocation.output === 'yaml') {
    await print(invocation, await client.json<object>(path), () => '');
    return exitCodes.ok;
  }
  const table = await client.json<ServerTable>(path, { accept: tableType });
  if (table) invocation.terminal.stdout.write(renderTable(table, invocation.output === 'wide'));
  return exitCodes.ok;
}

async function approve({ terminal, options }: Invocation, instance: string): Promise<number> {
  const { approvePlugin } = await import('../../kernel/lock/approve.js');
  const file = resolve(terminal.cwd, typeof options['file'] === 'string' ? options['file'] : 'tappaas.yaml');
  const approved = await approvePlugin(file, instance).catch(explained);
  terminal.stdout.write(`${approved}\n`);
  return exitCodes.ok;
}

async function purge(invocation: Invocation, kind: string): Promise<number> {
  if (invocation.options['yes'] !== true)
    throw new CliError(`all objects of ${kind} would be removed for good, and nobody finishes what their plugin had begun`, {
      remedy: `If that is meant: tappaas plugins purge ${kind} --yes`,
      exitCode: exitCodes.usage,
    });
  const client = await invocation.client();
  const answer = await client.send(`/plugins/platform/purge?kind=${encodeURIComponent(kind)}`, {
    method: 'POST',
    body: '',
    timeoutMs: 120_000,
  });
  if (answer.status >= 300) throw ApiError.of(answer);
  const purged = JSON.parse(answer.text) as { readonly removed: number };
  await print(invocation, purged, () => `Removed ${purged.removed} objects of ${kind}.\n`);
  return exitCodes.ok;
}

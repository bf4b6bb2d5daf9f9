import { basename, resolve } from 'node:path';
import { ApiError } from '@tappaas/client';
import type { Approval } from '../../kernel/lock/approve.js';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { explained } from '../explained.js';
import { describePlugin, pluginTable, type PluginView } from '../plugin-view.js';
import { print } from '../print.js';

const path = '/apis/platform.tappaas.dev/v1alpha1/plugins';

/**
 * `tappaas plugins` lists plugins; `plugins INSTANCE` describes one; `approve INSTANCE` updates the lock file beside the configuration;
 * `purge KIND` removes the objects of a kind whose plugin is gone.
 */
export async function plugins(invocation: Invocation): Promise<number> {
  const [verb, operand] = invocation.positionals;
  if (verb === 'approve' && operand !== undefined) return approve(invocation, operand);
  if (verb === 'purge' && operand !== undefined) return purge(invocation, operand);
  if (verb !== undefined && (operand !== undefined || ['approve', 'purge'].includes(verb)))
    throw new CliError(operand === undefined ? `plugins ${verb} needs a name` : `plugins: "${verb}" is unknown`, {
      remedy: 'Usage: tappaas plugins, plugins INSTANCE, plugins approve INSTANCE, or plugins purge KIND --yes.',
      exitCode: exitCodes.usage,
    });
  const client = await invocation.client();
  if (verb !== undefined) return describe(invocation, await client.json<PluginView>(`${path}/${encodeURIComponent(verb)}`), verb);
  const list = (await client.json<{ readonly items: readonly PluginView[] }>(path)) ?? { items: [] };
  await print(invocation, list, () => pluginTable(list.items, invocation.output === 'wide'));
  return exitCodes.ok;
}

async function describe(invocation: Invocation, plugin: PluginView | undefined, name: string): Promise<number> {
  if (plugin === undefined)
    throw new CliError(`there is no plugin instance "${name}"`, { remedy: 'tappaas plugins lists them.', exitCode: exitCodes.failed });
  await print(invocation, plugin, () => describePlugin(plugin));
  return exitCodes.ok;
}

async function approve(invocation: Invocation, instance: string): Promise<number> {
  const { terminal, options } = invocation;
  const { approvePlugin } = await import('../../kernel/lock/approve.js');
  const file = resolve(terminal.cwd, typeof options['file'] === 'string' ? options['file'] : 'tappaas.yaml');
  const approved = await approvePlugin(file, instance).catch(explained);
  await print(invocation, approved, () => approval(approved));
  return exitCodes.ok;
}

function approval({ lockFile, accepted }: Approval): string {
  if (accepted === undefined) return `${basename(lockFile)} does not exist yet: the first start accepts what is configured\n`;
  const { package: name, version, permissions } = accepted;
  const permissionText =
    permissions.length === 0 ? 'it asks for no permissions' : `it may\n${permissions.map((line) => `  ${line}`).join('\n')}`;
  return `${name} ${version} is accepted; ${permissionText}\n`;
}

async function purge(invocation: Invocation, kind: string): Promise<number> {
  if (invocation.options['yes'] !== true)
    throw new CliError(`all objects of ${kind} would be removed permanently, and what their plugin had begun stays unfinished`, {
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
  const purged = JSON.parse(answer.text) as { readonly removed: number; readonly isComplete: boolean };
  await print(invocation, purged, () =>
    purged.isComplete
      ? `Removed ${purged.removed} objects of ${kind}.\n`
      : `Removed ${purged.removed} objects of ${kind}; more are left: run the same command again.\n`,
  );
  return exitCodes.ok;
}

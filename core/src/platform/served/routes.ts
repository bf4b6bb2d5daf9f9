import { administratorsGroup, type Caller } from '@tappaas/sdk';
import type { ServedRoute } from '../../api/contributions.js';
import type { Kernel } from '../../kernel/kernel.js';
import { platformErrors } from '../errors.js';
import type { Engines } from '../engines.js';
import { explain } from '../clusters/explain.js';
import type { ReplacedToken } from '../access/caller-identity.js';
import type { PlatformAccess } from '../access/platform-access.js';
import type { PlatformActions } from '../platform-actions.js';
import type { SealingKeysChange } from '../sealing/sealing-keys.js';
import { findAllowedSubjects } from '../access/who-can.js';

export interface PlatformRouteParts {
  readonly engines: Engines;
  readonly access: PlatformAccess;
  readonly actions: PlatformActions;
  readonly kernel: Pick<Kernel, 'registrations' | 'plugins'>;
}

/**
 * The platform's own routes below `/plugins/platform`: reload, admin-token, replace-workers, keys, purge, explain, confirm, and the list of
 * raw routes.
 */
export function platformRoutes(parts: PlatformRouteParts): readonly ServedRoute[] {
  return [
    route('POST', '/reload', async () => json(200, await parts.actions.reload())),
    route('POST', '/confirm', async () => {
      await parts.actions.confirm();
      return json(200, { confirmed: true });
    }),
    route('POST', '/admin-token', async (_, { caller }) => json(200, await replacedToken(parts.actions, caller))),
    // Responds immediately, because the process that serves this request is one of those to be replaced.
    route('POST', '/replace-workers', async () => json(202, { replacing: await parts.actions.replaceWorkers() })),
    route('GET', '/sealing-keys', async () => json(200, await parts.actions.sealingKeys())),
    route('POST', '/sealing-keys', async ({ query }) => json(200, await changeKeys(parts.actions, query))),
    route('POST', '/purge', async ({ query: { kind = '' } }) => json(200, await parts.actions.purge(kind))),
    route('GET', '/routes', async () => json(200, { routes: routesOf(parts.kernel) })),
    route('GET', '/explain', async ({ query }) => {
      const found = await explain(parts, query);
      return found === undefined ? json(404, { message: `no kind is called "${query['kind'] ?? ''}"` }) : json(200, found);
    }),
    route('GET', '/who-can', async ({ query }, { caller }) => findAllowedSubjects(parts, query, caller)),
  ];
}

const instance = 'platform';

function route(method: 'GET' | 'POST', path: `/${string}`, handle: ServedRoute['handle']): ServedRoute {
  return { instance, method, path, bodyBytesMax: 0, auth: 'caller', handle };
}

/**
 * Replaces the administrator's token. Roles and policies are not consulted, because the holder of the token has all rights. A scoped
 * credential has fewer rights than that.
 *
 * @throws TAP_ADMIN_TOKEN_FORBIDDEN
 */
async function replacedToken(actions: PlatformActions, caller: Caller | undefined): Promise<ReplacedToken> {
  if (caller?.groups.includes(administratorsGroup) && caller.scope === undefined) return actions.replaceAdminToken();
  throw platformErrors.TAP_ADMIN_TOKEN_FORBIDDEN({
    message: `"${caller?.name ?? ''}" cannot replace the administrator’s token: that takes a credential of the group ${administratorsGroup} without a scope`,
  });
}

const keyChanges: readonly SealingKeysChange[] = ['rotate', 'reencrypt', 'retire'];

function changeKeys(actions: PlatformActions, { change: requestedChange, key = '' }: Readonly<Record<string, string>>) {
  const change = keyChanges.find((known) => known === requestedChange);
  if (change !== undefined) return actions.changeSealingKeys(change, key);
  throw platformErrors.TAP_QUERY_INVALID({ message: `change is "${requestedChange ?? ''}", expected one of ${keyChanges.join(', ')}` });
}

/** Lists the raw routes of plugins, in which clients look up the instance id, since operators choose it and it is part of the path. */
function routesOf(kernel: PlatformRouteParts['kernel']): readonly object[] {
  const ids = new Map(kernel.plugins().map(({ id, plugin }) => [id, plugin]));
  return kernel.registrations().routes.map(({ plugin: id, value: { method, path, description } }) => ({
    instance: id,
    plugin: ids.get(id) ?? id,
    method,
    path,
    description,
  }));
}

function json(status: number, value: object): Awaited<ReturnType<ServedRoute['handle']>> {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

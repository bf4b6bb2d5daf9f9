import type { PluginState } from '../../kernel/plugin-state.js';
import type { Access } from '../../resources/client.js';
import { platformErrors } from '../errors.js';

/** The declared verb that a call requires; a patch counts as an update. */
const declaredVerb: Readonly<Record<Access['verb'], string>> = {
  get: 'get',
  list: 'list',
  watch: 'watch',
  create: 'create',
  update: 'update',
  patch: 'update',
  delete: 'delete',
};

/** Allows what the plugin's manifest declares, by kind and verb. @throws TAP_PLUGIN_PERMISSION naming the missing permission */
export function checkRights(state: PluginState | undefined, { verb, group, kind }: Access): void {
  const needed = declaredVerb[verb];
  const name = `${group}/${kind}`;
  const granted = state?.permissions?.resources ?? [];
  if (granted.some((entry) => entry.kind === name && entry.verbs.includes(needed))) return;
  throw platformErrors.TAP_PLUGIN_PERMISSION({
    message: `plugin ${state?.id ?? 'unknown'} may not ${needed} ${kind} of group "${group}": its permissions do not name it`,
  });
}

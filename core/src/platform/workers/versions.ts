import type { PluginState } from '../../kernel/plugin-state.js';
import { platformErrors } from '../errors.js';

/** Versions of the packages that a process runs, by their names. */
export type Versions = Readonly<Record<string, string>>;

export function versionsOf(core: string, plugins: readonly Pick<PluginState, 'package' | 'version'>[]): Versions {
  return { ...Object.fromEntries(plugins.map((plugin) => [plugin.package, plugin.version])), '@tappaas/core': core };
}

/**
 * Refuses a worker that was started from files of other versions than this process runs, as after an upgrade without a restart: the two speak protocols,
 * and keep objects, that only processes of one version agree about. A package that only one of the two runs is none of another version.
 *
 * @throws TAP_WORKER_VERSION
 */
export function refuseOtherVersions(running: Versions, worker: Versions): void {
  const others = Object.entries(worker).filter(([name, version]) => running[name] !== undefined && running[name] !== version);
  if (others.length === 0) return;
  const told = others.map(([name, version]) => `${name} ${version} is installed and ${running[name] ?? ''} runs`);
  throw platformErrors.TAP_WORKER_VERSION({ message: told.join(', ') });
}

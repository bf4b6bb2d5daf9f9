import type { PluginState } from '../../kernel/plugin-state.js';
import { platformErrors } from '../errors.js';

/** Versions of the packages that a process runs, by name. */
export type Versions = Readonly<Record<string, string>>;

export function versionsOf(core: string, plugins: readonly Pick<PluginState, 'package' | 'version'>[]): Versions {
  return { ...Object.fromEntries(plugins.map((plugin) => [plugin.package, plugin.version])), '@tappaas/core': core };
}

/**
 * Refuses a worker with other package versions than this process, as after an upgrade without a restart: protocols and stored objects are
 * compatible only between equal versions. A package that only one of the two runs is not compared.
 *
 * @throws TAP_WORKER_VERSION
 */
export function refuseOtherVersions(running: Versions, worker: Versions): void {
  const others = Object.entries(worker).filter(([name, version]) => running[name] !== undefined && running[name] !== version);
  if (others.length === 0) return;
  const differing = others.map(([name, version]) => `${name} ${version} is installed and ${running[name] ?? ''} runs`);
  throw platformErrors.TAP_WORKER_VERSION({ message: differing.join(', ') });
}

import path from 'node:path';
import { readConfigFiles } from '../config/files.js';
import { nodeAt, plainOf } from '../config/node.js';
import { lifecycleErrors } from '../errors.js';
import { ConfigurationError } from '../lifecycle/configuration-error.js';
import { didYouMean } from '../config/nearest-name.js';
import { findInstalled, readPackageSource } from '../manifest/package-source.js';
import { currentEntry } from './check-lock.js';
import { lockPathOf, readLock, writeLock } from './lock-file.js';

/** The result of an approval, and the file in which it is recorded. */
export interface Approval {
  readonly instance: string;
  readonly lockFile: string;
  /** Absent without a lock file, because the first start accepts everything configured. */
  readonly accepted?: { readonly package: string; readonly version: string; readonly permissions: readonly string[] };
}

/**
 * Accepts the current package of one instance and the permissions that it requests.
 *
 * @throws TAP_CONFIG_INVALID when a file or the package cannot be read, or there is no such instance.
 */
export async function approvePlugin(configFile: string, instance: string): Promise<Approval> {
  const file = path.resolve(configFile);
  const { node, problems } = await readConfigFiles(file);
  if (problems.length > 0) throw new ConfigurationError(problems);
  const use = nodeAt(node, 'plugins', instance, 'use');
  if (use?.kind !== 'scalar' || typeof use.value !== 'string') {
    const plugins = nodeAt(node, 'plugins');
    const known = plugins?.kind === 'map' ? plugins.entries.keys() : [];
    throw lifecycleErrors.TAP_CONFIG_INVALID({
      message: `there is no instance ${instance} in ${path.basename(file)}${didYouMean(instance, known)}`,
    });
  }
  const source = await readPackageSource(String(plainOf(use)), path.dirname(file), findInstalled);
  if (!('manifest' in source)) throw lifecycleErrors.TAP_CONFIG_INVALID({ message: source.message });
  const lockFile = lockPathOf(file);
  const locked = await readLock(lockFile);
  if (locked === 'absent') return { instance, lockFile };
  const entry = await currentEntry(source);
  await writeLock(lockFile, { ...(locked === 'damaged' ? {} : locked), [source.manifest.package]: entry });
  return { instance, lockFile, accepted: { package: source.manifest.package, version: entry.version, permissions: entry.permissions } };
}

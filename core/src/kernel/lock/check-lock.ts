import type { ProblemCode } from '../errors.js';
import type { PluginSource } from '../manifest/package-source.js';
import { packageIntegrity } from './integrity.js';
import type { LockEntries, LockEntry } from './lock-file.js';
import { permissionLines } from './permission-lines.js';

/** The result of checking one package against the lock. */
export interface LockVerdict {
  readonly problem?: { readonly code: ProblemCode; readonly message: string };
  /** The entry to be written to the lock. */
  readonly entry: LockEntry;
}

/**
 * Compares a package with its accepted state. The first start, without a lock, accepts everything that the operator has configured.
 * Afterwards a package that requests more than was accepted (for a new package: anything at all) needs `tappaas plugins approve`, and the
 * bytes of an accepted version must not change.
 */
export async function checkLock(source: PluginSource, locked: LockEntries | 'absent'): Promise<LockVerdict> {
  const { manifest } = source;
  const entry = await currentEntry(source);
  if (locked === 'absent') return { entry };
  const accepted = locked[manifest.package];
  const more = entry.permissions.filter((line) => !accepted?.permissions.includes(line));
  if (more.length > 0) {
    const message = `package ${manifest.package} asks for what was not accepted: ${more.join('; ')}`;
    return { entry, problem: { code: 'TAP_LOCK_PERMISSIONS', message } };
  }
  const changed = accepted?.integrity !== undefined && entry.integrity !== undefined && accepted.integrity !== entry.integrity;
  if (changed && accepted.version === entry.version) {
    const message = `the files of package ${manifest.package} ${entry.version} are not those that were accepted`;
    return { entry, problem: { code: 'TAP_LOCK_INTEGRITY', message } };
  }
  return { entry };
}

export async function currentEntry({ manifest, directory, linked }: PluginSource): Promise<LockEntry> {
  const permissions = permissionLines(manifest.permissions);
  if (linked || directory === undefined) return { version: manifest.version, permissions };
  return { version: manifest.version, integrity: await packageIntegrity(directory), permissions };
}

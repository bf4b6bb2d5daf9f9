import type { StoredSource } from '../config/secret-source.js';
import type { PluginManifest } from '../manifest/manifest.js';
import type { PluginSource } from '../manifest/package-source.js';
import type { LockEntry } from '../lock/lock-file.js';

export type Mode = 'enforce' | 'shadow' | 'off';

export type HookLimits = Readonly<Record<string, { readonly timeoutMs?: number; readonly failurePolicy?: 'fail' | 'ignore' }>>;

/** One instance of a plan: everything known before its code runs. */
export interface InstancePlan {
  readonly id: string;
  readonly use: string;
  readonly manifest: PluginManifest;
  readonly source: PluginSource;
  readonly mode: Exclude<Mode, 'off'>;
  readonly mayFail: boolean;
  readonly limits: HookLimits;
  /** The configuration as written, with defaults, for comparison. */
  readonly written: unknown;
  /** The configuration for `setup`: decoded and frozen, with secrets. */
  readonly config: unknown;
  /** Values from secret stores that its configuration refers to. */
  readonly stored: readonly StoredSource[];
  readonly lock: LockEntry | undefined;
  /** Ids of needed services that have a provider; a change restarts the instance. */
  readonly met: readonly string[];
}

/** An instance with `mode: off`, which is not loaded. */
export interface OffInstance {
  readonly id: string;
  readonly use: string;
  readonly manifest: PluginManifest | undefined;
}

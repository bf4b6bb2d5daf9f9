import type { StoredSource } from '../config/secret-source.js';
import type { PluginManifest } from '../manifest/manifest.js';
import type { PluginSource } from '../manifest/package-source.js';
import type { LockEntry } from '../lock/lock-file.js';

export type Mode = 'enforce' | 'shadow' | 'off';

export type HookLimits = Readonly<Record<string, { readonly timeoutMs?: number; readonly failurePolicy?: 'fail' | 'ignore' }>>;

/** One instance of a plan: everything that is known of it before its code runs. */
export interface InstancePlan {
  readonly id: string;
  readonly use: string;
  readonly manifest: PluginManifest;
  readonly source: PluginSource;
  readonly mode: Exclude<Mode, 'off'>;
  readonly mayFail: boolean;
  readonly limits: HookLimits;
  /** As written, for comparing; defaults filled in. */
  readonly written: unknown;
  /** Decoded and frozen, with secrets; what `setup` gets. */
  readonly config: unknown;
  /** Values of secret stores that its configuration points to. */
  readonly stored: readonly StoredSource[];
  readonly lock: LockEntry | undefined;
  /** Ids of the services it needs that somebody provides; a change of it restarts the instance. */
  readonly met: readonly string[];
}

/** An instance with `mode: off`: named, not loaded. */
export interface OffInstance {
  readonly id: string;
  readonly use: string;
  readonly manifest: PluginManifest | undefined;
}

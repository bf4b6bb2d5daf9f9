import type { ManifestPermissions } from './manifest/manifest.js';

/** Phase in the lifecycle of an instance. `failed`: it did not start, and `onBootFailure` is `continue`. */
export type PluginPhase = 'off' | 'loaded' | 'starting' | 'ready' | 'failed' | 'stopping' | 'stopped';

/** The state of an instance for display: `tappaas plugins`, kind Plugin. */
export interface PluginState {
  /** Instance id. */
  readonly id: string;
  readonly plugin: string;
  readonly package: string;
  readonly version: string;
  readonly stability: 'experimental' | 'beta' | 'stable';
  readonly phase: PluginPhase;
  readonly mode: 'enforce' | 'shadow' | 'off';
  /** The reason if it has `failed`. */
  readonly message?: string;
  /** Total time of import, setup, providers and onStart. */
  readonly initMs: number;
  readonly hooks: readonly string[];
  /** Service ids. */
  readonly needs: readonly string[];
  readonly provides: readonly string[];
  /** `<group>/<kind>` of contributed kinds. */
  readonly kinds: readonly string[];
  readonly permissions: ManifestPermissions;
  readonly breakers: readonly { readonly hook: string; readonly state: 'closed' | 'open' | 'half-open'; readonly failures: number }[];
}

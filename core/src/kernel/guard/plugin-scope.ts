import type { Clock, Logger, Resources, State } from '@tappaas/sdk';
import type { Breaker } from './breaker.js';

/** State shared by all calls of one instance; a restarted instance gets a new one. */
export interface PluginScope {
  /** Instance id. */
  readonly id: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly monotonicMs: () => number;
  readonly state: State;
  readonly asPlugin: Resources;
  /** Aborts when the instance stops. */
  readonly stopping: AbortSignal;
  /** Number of unsettled calls. */
  inFlight: number;
  /** False until the start has completed, after a failed start and after the stop; then every call fails with TAP_PLUGIN_NOT_RUNNING. */
  running: boolean;
  /** Called when `inFlight` drops to 0. */
  onIdle: (() => void) | undefined;
  /** One per hook or point name; they live as long as the instance, so that a reload of other plugins does not reset them. */
  readonly breakers: Map<string, Breaker>;
}

import type { Clock, Logger, Resources, State } from '@tappaas/sdk';
import type { Breaker } from './breaker.js';

/** What all calls of one instance share; a restarted instance gets a new one. */
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
  /** Calls that have not settled. */
  inFlight: number;
  /** False until its start is done, after it failed and after it stopped: then every call answers TAP_PLUGIN_NOT_RUNNING. */
  running: boolean;
  /** Told when `inFlight` falls to 0. */
  onIdle: (() => void) | undefined;
  /** One per hook or point name; they live as long as the instance, so that a reload of others does not pardon. */
  readonly breakers: Map<string, Breaker>;
}

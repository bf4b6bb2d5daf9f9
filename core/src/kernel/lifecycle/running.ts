import type { ConfigNode } from '../config/node.js';
import type { Tap } from '../hooks/tap.js';
import type { Plan } from '../plan/plan.js';
import type { Registrations } from '../registrations.js';
import type { Instance } from './instance.js';
import type { Started } from './start-levels.js';

/** The configuration in force and its instances; a reload replaces it as a whole. */
export interface Running {
  readonly plan: Plan;
  readonly root: ConfigNode;
  /** In the order of the configuration. */
  readonly instances: ReadonlyMap<string, Instance>;
  readonly taps: readonly Tap[];
  readonly registrations: Registrations;
  /** Empty before the start. */
  readonly begun: readonly (readonly Started[])[];
}

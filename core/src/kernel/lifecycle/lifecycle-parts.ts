import type { Logger, PlatformEvent } from '@tappaas/sdk';
import type { Breaker } from '../guard/breaker.js';
import type { GuardDevices } from '../guard/guard.js';
import type { LeakDetector } from '../guard/leak-detector.js';
import type { KernelEnvironment } from '../kernel.js';
import type { ConnectEngine } from '../registrations.js';
import type { MetricRegistry } from '../metrics/registry.js';
import type { ServiceRegistry } from '../services/service-registry.js';
import type { SharedState } from './shared-state.js';
import type { StoredSecrets } from './stored-secrets.js';

/** The parts that the whole lifecycle of a kernel uses. */
export interface LifecycleParts {
  readonly environment: KernelEnvironment;
  readonly metrics: MetricRegistry;
  readonly devices: GuardDevices;
  readonly log: Logger;
  readonly services: ServiceRegistry;
  readonly secrets: StoredSecrets;
  readonly platformState: SharedState;
  readonly connectEngine: ConnectEngine;
  /** By instance and hook. */
  readonly breakers: Map<string, Map<string, Breaker>>;
  readonly leaks: LeakDetector | undefined;
  readonly emit: (event: Omit<PlatformEvent, 'atMs'>) => void;
}

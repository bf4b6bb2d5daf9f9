import type { Clock, Container, Immutable, LifecycleHandler } from '@tappaas/sdk';
import { checkProbe, type Beside, type Finding } from './probe-check.js';

/** Where a container's hook runs, and its time limit. */
export interface HookOptions {
  readonly container: Immutable<Container>;
  readonly hostPorts: Readonly<Record<string, number>>;
  readonly beside: Beside;
  readonly clock: Clock;
  readonly atMostMs: number;
  readonly signal: AbortSignal;
}

/** Runs a lifecycle hook to its end; an absent hook succeeds. */
export async function runHook(handler: Immutable<LifecycleHandler> | undefined, options: HookOptions): Promise<Finding> {
  const { container, hostPorts, beside, clock, atMostMs, signal } = options;
  if (handler === undefined || atMostMs <= 0) return { healthy: true, message: 'nothing to do' };
  if (handler.sleep) {
    await clock.sleep(Math.min(handler.sleep.seconds * 1000, atMostMs), signal).catch(() => undefined);
    return { healthy: true, message: 'slept' };
  }
  return checkProbe({ ...handler, timeoutSeconds: atMostMs / 1000 }, container, hostPorts, beside, signal);
}

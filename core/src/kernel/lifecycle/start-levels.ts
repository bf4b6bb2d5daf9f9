import { lifecycleErrors } from '../errors.js';
import type { Instance } from './instance.js';
import { messageOf, needsNoStart, startInstance, type MadeService, type ServiceSink } from './start-instance.js';
import { stopInstance, type StopFault } from './stop-instance.js';
import type { LifecycleParts } from './lifecycle-parts.js';

/** A started instance with its services; stopping reverses the order. */
export interface Started {
  readonly instance: Instance;
  readonly made: MadeService[];
}

/**
 * Starts instances level by level, in parallel within a level. When a required one fails, everything started is stopped in reverse.
 *
 * @throws TAP_PLUGIN_START_FAILED naming the plugins, after the rollback; its message begins with `undone`, which says what did not happen.
 */
export async function startLevels(
  levels: readonly (readonly Instance[])[],
  lifecycleParts: LifecycleParts,
  sink: ServiceSink,
  undone: string,
): Promise<readonly (readonly Started[])[]> {
  const begun: Started[][] = [];
  for (const instance of levels.flat()) {
    if (instance.phase !== 'failed' && needsNoStart(instance)) instance.scope.running = true;
  }
  for (const level of levels) {
    const starting = level.filter(({ phase }) => phase === 'loaded').map((instance) => ({ instance, made: [] as MadeService[] }));
    begun.push(starting);
    const ends = await Promise.allSettled(starting.map(({ instance, made }) => startOne(instance, lifecycleParts, sink, made)));
    const fatal = ends.flatMap((end, n) =>
      end.status === 'rejected' && !starting[n]?.instance.plan.mayFail ? [end.reason as unknown] : [],
    );
    for (const [n, end] of ends.entries()) {
      const failed = starting[n];
      if (end.status === 'rejected' && failed && failed.instance.plan.mayFail) await giveUp(failed, lifecycleParts);
    }
    if (fatal.length > 0) {
      await stopLevels(begun, lifecycleParts);
      const message = `${undone}: ${fatal.map(messageOf).join('; ')}`;
      throw lifecycleErrors.TAP_PLUGIN_START_FAILED({ message, cause: fatal[0] });
    }
  }
  return begun;
}

async function startOne(instance: Instance, lifecycleParts: LifecycleParts, sink: ServiceSink, made: MadeService[]): Promise<void> {
  await startInstance(instance, lifecycleParts, sink, made);
  lifecycleParts.emit({ type: 'plugin.started', attributes: { plugin: instance.id, initMs: Math.round(instance.initMs) } });
}

/** Undoes the start of an optional plugin that failed; the platform continues without it. */
async function giveUp({ instance, made }: Started, lifecycleParts: LifecycleParts): Promise<void> {
  const { message = '' } = instance;
  lifecycleParts.log.error(`plugin ${instance.id} did not start; the platform goes on without it`, { error: message });
  lifecycleParts.emit({ type: 'plugin.failed', attributes: { plugin: instance.id, message } });
  await stopInstance(instance, lifecycleParts, made);
}

/** Stops instances level by level in reverse, in parallel within a level; returns all errors. */
export async function stopLevels(begun: readonly (readonly Started[])[], lifecycleParts: LifecycleParts): Promise<readonly StopFault[]> {
  const faults: StopFault[] = [];
  for (const level of begun.toReversed()) {
    const live = level.filter(({ instance }) => instance.phase !== 'stopped' && !(instance.phase === 'failed' && instance.plan.mayFail));
    const stopped = await Promise.all(live.map(({ instance, made }) => stopInstance(instance, lifecycleParts, made)));
    faults.push(...stopped.flat());
  }
  return faults;
}

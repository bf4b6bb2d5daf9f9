import { lifecycleErrors } from '../errors.js';
import type { Instance } from './instance.js';
import { messageOf, needsNoStart, startInstance, type MadeService, type ServiceSink } from './start-instance.js';
import { stopInstance, type StopFault } from './stop-instance.js';
import type { Surroundings } from './surroundings.js';

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
  surroundings: Surroundings,
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
    const ends = await Promise.allSettled(starting.map(({ instance, made }) => startOne(instance, surroundings, sink, made)));
    const fatal = ends.flatMap((end, n) =>
      end.status === 'rejected' && !starting[n]?.instance.plan.mayFail ? [end.reason as unknown] : [],
    );
    for (const [n, end] of ends.entries()) {
      const failed = starting[n];
      if (end.status === 'rejected' && failed && failed.instance.plan.mayFail) await giveUp(failed, surroundings);
    }
    if (fatal.length > 0) {
      await stopLevels(begun, surroundings);
      const message = `${undone}: ${fatal.map(messageOf).join('; ')}`;
      throw lifecycleErrors.TAP_PLUGIN_START_FAILED({ message, cause: fatal[0] });
    }
  }
  return begun;
}

async function startOne(instance: Instance, surroundings: Surroundings, sink: ServiceSink, made: MadeService[]): Promise<void> {
  await startInstance(instance, surroundings, sink, made);
  surroundings.emit({ type: 'plugin.started', attributes: { plugin: instance.id, initMs: Math.round(instance.initMs) } });
}

/** Undoes the start of an optional plugin that failed; the platform continues without it. */
async function giveUp({ instance, made }: Started, surroundings: Surroundings): Promise<void> {
  const { message = '' } = instance;
  surroundings.log.error(`plugin ${instance.id} did not start; the platform goes on without it`, { error: message });
  surroundings.emit({ type: 'plugin.failed', attributes: { plugin: instance.id, message } });
  await stopInstance(instance, surroundings, made);
}

/** Stops instances level by level in reverse, in parallel within a level; returns all errors. */
export async function stopLevels(begun: readonly (readonly Started[])[], surroundings: Surroundings): Promise<readonly StopFault[]> {
  const faults: StopFault[] = [];
  for (const level of begun.toReversed()) {
    const live = level.filter(({ instance }) => instance.phase !== 'stopped' && !(instance.phase === 'failed' && instance.plan.mayFail));
    const stopped = await Promise.all(live.map(({ instance, made }) => stopInstance(instance, surroundings, made)));
    faults.push(...stopped.flat());
  }
  return faults;
}

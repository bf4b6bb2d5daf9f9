import type { Context } from '@tappaas/sdk';
import type { BackgroundTask } from '../setup/setup-record.js';
import type { Instance } from './instance.js';
import { messageOf } from './start-instance.js';
import type { LifecycleParts } from './lifecycle-parts.js';

const firstBackoffMs = 1000;
const backoffMsMax = 300_000;
/** How often a task checks whether its replica leads. */
const leaderCheckMs = 1000;

/** Runs the background tasks of an instance until it stops. A failed task is run again with increasing delay. */
export function startTasks(instance: Instance, lifecycleParts: LifecycleParts): void {
  for (const task of instance.record.tasks) void runTask(task, instance, lifecycleParts);
}

async function runTask(task: BackgroundTask, instance: Instance, lifecycleParts: LifecycleParts): Promise<void> {
  const { clock, log } = instance.scope;
  const stopping = instance.tasksEnding;
  const { random } = lifecycleParts.environment;
  const mayRun = placeOf(task, lifecycleParts);
  let failures = 0;
  try {
    while (!stopping.aborted) {
      if (!mayRun()) {
        await clock.sleep(leaderCheckMs, stopping);
        continue;
      }
      try {
        await runOnce(task, instance, mayRun);
        failures = 0;
      } catch (error) {
        if (stopping.aborted) return;
        failures += 1;
        log.warn(`task ${task.name} failed and will be run again`, { failures, error: messageOf(error) });
      }
      await clock.sleep(failures === 0 ? task.everyMs : backoffMs(failures, random), stopping);
    }
  } catch {
    // The sleep ended because the instance is stopping.
  }
}

/** Returns a function that says whether a task runs in this process at the moment. */
function placeOf({ on }: BackgroundTask, { environment }: LifecycleParts): () => boolean {
  if (on === 'every-replica') return () => true;
  return (on === 'leader' ? environment.isLeader : environment.isOnlyOnMachine) ?? (() => true);
}

/** Runs a task once; losing leadership aborts it. */
async function runOnce(task: BackgroundTask, instance: Instance, mayRun: () => boolean): Promise<void> {
  const lost = new AbortController();
  const ended = new AbortController();
  const run = (context: Context) => task.run(context);
  const watch = task.on === 'leader' ? watchLeader(instance, mayRun, lost, ended.signal) : undefined;
  try {
    await instance.guard.call({ name: `task ${task.name}` }, run, { signal: AbortSignal.any([lost.signal, instance.tasksEnding]) });
  } finally {
    ended.abort();
    await watch;
  }
}

async function watchLeader(instance: Instance, mayRun: () => boolean, lost: AbortController, ended: AbortSignal): Promise<void> {
  try {
    while (!ended.aborted) {
      await instance.scope.clock.sleep(leaderCheckMs, ended);
      if (!mayRun()) {
        lost.abort(new Error('this replica no longer leads'));
        return;
      }
    }
  } catch {
    // The run ended first.
  }
}

/** Doubles from one second to five minutes; up to half is random, so that replicas do not retry simultaneously. */
function backoffMs(failures: number, random: () => number): number {
  return Math.min(backoffMsMax, firstBackoffMs * 2 ** (failures - 1)) * (0.5 + random() / 2);
}

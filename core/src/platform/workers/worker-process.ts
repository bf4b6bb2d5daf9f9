import type { Clock } from '@tappaas/sdk';
import type { WorkerCalls } from './calls.js';
import type { IpcPort } from './ipc-channel.js';
import type { Peer } from './peer.js';

/** A process that serves the API, as used by the pool. */
export interface WorkerProcess extends IpcPort {
  /** Resolves with the known reason when the process has ended. */
  readonly ended: Promise<string>;
  /** Ends the process immediately. */
  kill(): void;
}

const drainMsMax = 45_000;
/** Time limits of consecutive attempts: a second one is made because this process itself may have been blocked. */
const answersMsMax = [25_000, 5_000];

/** How long a process has been silent when it is found not to respond. */
export const silenceMsMax = answersMsMax.reduce((sum, ms) => sum + ms);

/** Whether a process responds, within generous limits. */
export async function isAnswering(peer: Peer<WorkerCalls>): Promise<boolean> {
  for (const limitMs of answersMsMax) {
    const isAlive = await peer.callWithin(limitMs, 'alive').then(
      () => true,
      () => false,
    );
    if (isAlive) return true;
  }
  return false;
}

/** Lets a process finish its work, and kills it if it does not end. */
export async function endWorker(process: WorkerProcess | undefined, peer: Peer<WorkerCalls> | undefined, clock: Clock): Promise<void> {
  if (process === undefined) return;
  const over = new AbortController();
  void peer?.call('drain').catch(() => undefined);
  const late = clock.sleep(drainMsMax, over.signal).then(
    () => process.kill(),
    () => undefined,
  );
  await process.ended;
  over.abort();
  await late;
}

import type { Clock } from '@tappaas/sdk';
import type { WorkerCalls } from './calls.js';
import type { IpcPort } from './ipc-channel.js';
import type { Peer } from './peer.js';

/** A process that serves the API, as the pool handles it. */
export interface WorkerProcess extends IpcPort {
  /** Resolves when the process has ended, with what is known of why. */
  readonly ended: Promise<string>;
  /** Ends it at once. */
  kill(): void;
}

const drainMsMax = 45_000;
/** Asked again when it has not answered: whoever asks may have been held up himself. */
const answersMsMax = [25_000, 5_000];

/** How long a process has said nothing when it is found not to answer. */
export const silenceMsMax = answersMsMax.reduce((sum, ms) => sum + ms);

/** Whether a process says that it lives; it may take its time. */
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

/** Lets a process finish what it serves; one that does not end is ended. */
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

import { type Clock, isTapError } from '@tappaas/sdk';
import { FollowedLog, type LogEntry, type LogPlace } from '@tappaas/sdk/log';
import { valueAt, type ObjectBody } from '../object-reader.js';
import { hasBegun, processOf } from './pod-log.js';
import { shortId } from './log-cursor.js';
import { isPassing, untilNextTry } from './retry.js';

const endedPhases: ReadonlySet<unknown> = new Set(['Succeeded', 'Failed']);

export interface PodReading {
  readonly read: (query: Readonly<Record<string, string>>) => AsyncIterable<string>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A pod whose output is followed from its first line, its last lines or a place on, until the pod is gone. */
export class FollowedPod {
  readonly uid: string;
  /** Stands for it in cursors. */
  readonly id: string;
  readonly name: string;
  readonly process: string | undefined;
  #pod: ObjectBody;
  #isGone = false;
  /** Aborts when something of the pod changes: what waits looks again. */
  #change = new AbortController();

  constructor(pod: ObjectBody) {
    this.#pod = pod;
    this.uid = pod.metadata.uid;
    this.id = shortId(this.uid);
    this.name = pod.metadata.name;
    this.process = processOf(pod);
  }

  get hasBegun(): boolean {
    return hasBegun(this.#pod);
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  see(pod: ObjectBody): void {
    this.#pod = pod;
    this.#noteChange();
  }

  leave(): void {
    this.#isGone = true;
    this.#noteChange();
  }

  /**
   * Its lines, over restarts of the container and connections that break, until it can write nothing more. With `tailLines` it begins with
   * so many of the lines that are there, and an undefined entry says that these have been told: what comes then is new.
   *
   * @throws what another try would not change
   */
  async *lines({ read, clock, signal }: PodReading, place?: LogPlace, tailLines?: number): AsyncGenerator<LogEntry | undefined> {
    const log = new FollowedLog({ read, isAnswer: (error) => isTapError(error) && !isPassing(error) }, place);
    let owesTail = tailLines !== undefined;
    let failures = 0;
    while (!signal.aborted) {
      // What is read from now on is all that there is.
      const isLast = this.#isGone || endedPhases.has(valueAt(this.#pod, ['status', 'phase']));
      let isRead = isLast;
      if (this.hasBegun || isLast) {
        try {
          // Not followed at first: the end of the last lines is known, and what comes later is none of them.
          for await (const line of log.connection(owesTail ? { tailLines: String(tailLines) } : { follow: 'true' })) {
            failures = 0;
            yield line;
          }
          if (owesTail) {
            owesTail = false;
            yield undefined;
            continue;
          }
        } catch (error) {
          if (signal.aborted) return;
          if (isPassing(error)) isRead = false;
          else if (!isLast && !isAbsent(error, log)) throw error;
        }
      }
      if (isRead) return;
      await untilNextTry(failures, clock, AbortSignal.any([signal, this.#change.signal]));
      failures += 1;
    }
  }

  #noteChange(): void {
    this.#change.abort();
    this.#change = new AbortController();
  }
}

/** There is no log now: the pod has gone, which its watch will tell, or its container is about to start again. */
function isAbsent(error: unknown, log: FollowedLog): boolean {
  return isTapError(error) && (error.spec.httpStatus === 404 || (log.hasBegun && error.spec.httpStatus === 400));
}

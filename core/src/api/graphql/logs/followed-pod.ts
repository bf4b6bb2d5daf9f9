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

/** Follows the output of one pod, from its first line, its last lines or a position, until the pod is gone. */
export class FollowedPod {
  readonly uid: string;
  /** Short id of the pod in cursors. */
  readonly id: string;
  readonly name: string;
  readonly process: string | undefined;
  #pod: ObjectBody;
  #isGone = false;
  /** Aborts when the pod changes, to wake up a retry that waits. */
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
   * Yields the pod's lines, across restarts of the container and broken connections, until it can write no more. With `tailLines` it begins
   * with that many of the existing lines, followed by an undefined entry: everything after it is new.
   *
   * @throws errors that a retry would not change
   */
  async *lines({ read, clock, signal }: PodReading, place?: LogPlace, tailLines?: number): AsyncGenerator<LogEntry | undefined> {
    const log = new FollowedLog({ read, isAnswer: (error) => isTapError(error) && !isPassing(error) }, place);
    let isTailDue = tailLines !== undefined;
    let failures = 0;
    while (!signal.aborted) {
      // The pod has ended: what can be read from now on is complete.
      const isLast = this.#isGone || endedPhases.has(valueAt(this.#pod, ['status', 'phase']));
      let isRead = isLast;
      if (this.hasBegun || isLast) {
        try {
          // The tail is read without following, so that its end is known: later lines are not part of it.
          for await (const line of log.connection(isTailDue ? { tailLines: String(tailLines) } : { follow: 'true' })) {
            failures = 0;
            yield line;
          }
          if (isTailDue) {
            isTailDue = false;
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

/** Whether there is no log at present: the pod is gone, which its watch will report, or its container is about to restart. */
function isAbsent(error: unknown, log: FollowedLog): boolean {
  return isTapError(error) && (error.spec.httpStatus === 404 || (log.hasBegun && error.spec.httpStatus === 400));
}

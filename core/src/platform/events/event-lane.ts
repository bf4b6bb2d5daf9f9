import { isTapError, type Clock } from '@tappaas/sdk';
import { createBackoff, type BackoffOptions } from '../../queue/backoff.js';

/** A pending write. */
export interface LaneEntry {
  /** Called again when it throws. */
  write(): Promise<void>;
  /** Called when it will not be retried. */
  giveUp(error: unknown): void;
}

interface LaneParts {
  readonly clock: Clock;
  readonly random: () => number;
  /** Once aborted, there are no more pauses: each waiting entry gets one last attempt. */
  readonly signal: AbortSignal;
}

/**
 * Retries as often as Kubernetes' event broadcaster, and for about as long: 75 s.
 *
 * @source Kubernetes, `k8s.io/client-go/tools/record/event.go` (`maxTriesPerEvent`, `defaultSleepDuration`)
 */
const triesMax = 12;
const backoff: BackoffOptions = { baseMs: 500, maxMs: 10_000, jitter: 0.3 };

/** Writes entries one after another; later ones wait during retries, so that the order is kept. */
export class EventLane {
  readonly #parts: LaneParts;
  readonly #delayMs: (failures: number) => number;
  readonly #waiting: LaneEntry[] = [];
  readonly #watchers: (() => void)[] = [];
  #state: 'idle' | 'writing' | 'resting' = 'idle';

  constructor(parts: LaneParts) {
    this.#parts = parts;
    this.#delayMs = createBackoff(backoff, parts.random);
  }

  add(entry: LaneEntry): void {
    this.#waiting.push(entry);
    if (this.#state === 'idle') void this.#run();
  }

  /** Resolves when everything has been written or given up, or waits for its next attempt. */
  async settled(): Promise<void> {
    if (this.#state === 'writing') await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  /** Resolves when no entry is waiting. */
  async ended(): Promise<void> {
    while (this.#state !== 'idle') await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  async #run(): Promise<void> {
    this.#state = 'writing';
    for (let entry = this.#waiting.shift(); entry !== undefined; entry = this.#waiting.shift()) await this.#write(entry);
    this.#leave('idle');
  }

  async #write(entry: LaneEntry): Promise<void> {
    const { signal } = this.#parts;
    for (let failures = 0; ; failures += 1) {
      const isLast = failures + 1 === triesMax || signal.aborted;
      try {
        return await entry.write();
      } catch (error) {
        if (isLast || isRefusal(error)) return entry.giveUp(error);
      }
      await this.#rest(this.#delayMs(failures));
    }
  }

  async #rest(ms: number): Promise<void> {
    this.#leave('resting');
    await this.#parts.clock.sleep(ms, this.#parts.signal).catch(() => undefined);
    this.#state = 'writing';
  }

  #leave(state: 'idle' | 'resting'): void {
    this.#state = state;
    for (const resolve of this.#watchers.splice(0)) resolve();
  }
}

/** Whether an error is a refusal, which a retry would repeat. Conflicts and rate limits are temporary. */
export function isRefusal(error: unknown): boolean {
  if (!isTapError(error)) return false;
  const { httpStatus } = error.spec;
  return httpStatus >= 400 && httpStatus < 500 && httpStatus !== 409 && httpStatus !== 429;
}

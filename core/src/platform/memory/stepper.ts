import type { WorkQueueOptions } from '../../queue/work-queue-options.js';
import type { RunReport } from '../../reconcile/controller.js';
import { memoryErrors } from './errors.js';
import { SteppedQueue } from './stepped-queue.js';

export interface SettleOptions {
  /** A higher number of runs means that something never settles. */
  readonly runsMax: number;
  /** Limit in real time without any change while a run is in progress. */
  readonly quietMsMax: number;
  /** Whether all writes have been delivered to the controllers. */
  readonly isCaughtUp: (signal: AbortSignal) => Promise<boolean>;
}

/** The number of runs of a key, and the result of its last run. */
interface Runs {
  count: number;
  last: string;
}

const keysNamedMax = 10;
const calmTurns = 3;

/** Runs controllers on request, in random order, until nothing is left to do. */
export class Stepper {
  readonly #random: () => number;
  readonly #queues = new Map<string, SteppedQueue>();
  #changed = Promise.withResolvers<void>();
  #runs = new Map<string, Runs>();

  constructor(random: () => number) {
    this.#random = random;
  }

  readonly createQueue = (controller: string, options: WorkQueueOptions<string>): SteppedQueue => {
    const queue = new SteppedQueue(controller, options, () => this.#changed.resolve());
    // After a reload, a controller with the same name has another queue.
    this.#queues.set(controller, queue);
    return queue;
  };

  readonly onReport = (controller: string, report: RunReport): void => {
    const runs = this.#runs.get(`${controller} ${report.key}`);
    const { result } = report;
    if (runs) runs.last = 'error' in report ? `${result}: ${report.error.message}` : result;
    if (result === 'error' || result === 'timeout') this.#queues.get(controller)?.fail(report.key);
    this.#changed.resolve();
  };

  /**
   * Hands out keys until none is ready, in process or waiting after a failure. Time stands still: failed keys are retried immediately, and
   * keys with a requested delay are left alone.
   *
   * @throws TAP_RECONCILE_RESTLESS, TAP_RECONCILE_STUCK naming the keys
   */
  async settle({ runsMax, quietMsMax, isCaughtUp }: SettleOptions): Promise<void> {
    this.#runs = new Map();
    let runs = 0;
    for (let quiet = AbortSignal.timeout(quietMsMax); ;) {
      this.#changed = Promise.withResolvers<void>();
      const stepped = this.#stepAll();
      runs += stepped;
      if (runs > runsMax) throw this.#restless(runsMax);
      if (stepped > 0) quiet = AbortSignal.timeout(quietMsMax);
      else if (quiet.aborted) throw this.#stuck(quietMsMax);
      if (this.#running().length > 0) await this.#change(quiet);
      else if ((await this.#rests(() => isCaughtUp(quiet))) && stepped === 0) return;
    }
  }

  /** Whether there is no work for several turns, because deliveries to listeners without a cache take a few. */
  async #rests(isCaughtUp: () => Promise<boolean>): Promise<boolean> {
    for (let calm = 0; calm < calmTurns; calm += 1) {
      if (!(await isCaughtUp()) || this.#hasWork() || this.#running().length > 0) return false;
      await turn();
    }
    return !this.#hasWork();
  }

  /** Whether any key is ready; failed keys are made ready first. */
  #hasWork(): boolean {
    const queues = [...this.#queues.values()];
    for (const queue of queues) queue.endBackOff();
    return queues.some(({ depth }) => depth > 0);
  }

  /** Starts every run that is possible now, in random order; limited by the number of workers. */
  #stepAll(): number {
    let stepped = 0;
    for (;;) {
      const ready = [...this.#queues.values()].filter(({ isReady }) => isReady);
      const queue = ready[Math.floor(this.#random() * ready.length)];
      const key = queue?.step();
      if (queue === undefined || key === undefined) return stepped;
      stepped += 1;
      const name = `${queue.controller} ${key}`;
      const runs = this.#runs.get(name) ?? { count: 0, last: 'has not ended' };
      this.#runs.set(name, { ...runs, count: runs.count + 1 });
    }
  }

  #running(): readonly string[] {
    return [...this.#queues.values()].flatMap(({ controller, running }) => [...running].map((key) => `${controller} ${key}`));
  }

  /** Resolves when a run ends, a key is added, or the time is over. */
  async #change(quiet: AbortSignal): Promise<void> {
    const { resolve, promise } = this.#changed;
    const over = () => resolve();
    quiet.addEventListener('abort', over, { once: true });
    await promise;
    quiet.removeEventListener('abort', over);
    if (!quiet.aborted) await turn();
  }

  #stuck(quietMsMax: number): Error {
    const left = [...this.#queues.values()].flatMap(({ controller, depth }) => (depth > 0 ? [`${depth} keys wait for ${controller}`] : []));
    const running = this.#running().map((key) => `${key} is running`);
    const what = [...running, ...left].join(', ') || 'the caches do not catch up';
    return memoryErrors.TAP_RECONCILE_STUCK({ message: `nothing has changed for ${quietMsMax / 1000} s: ${what}` });
  }

  #restless(runsMax: number): Error {
    const byCount = [...this.#runs].toSorted(([, a], [, b]) => b.count - a.count).slice(0, keysNamedMax);
    const named = byCount.map(([name, { count, last }]) => `${name} (${count} runs, the last ${last})`);
    const message = `the controllers do not settle within ${runsMax} runs: ${named.join(', ')}`;
    return memoryErrors.TAP_RECONCILE_RESTLESS({ message });
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

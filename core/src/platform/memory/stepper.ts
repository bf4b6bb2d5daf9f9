import { setTimeout as wait } from 'node:timers/promises';
import type { WorkQueueOptions } from '../../queue/work-queue.js';
import type { RunReport } from '../../reconcile/controller.js';
import { platformErrors } from '../errors.js';
import { SteppedQueue } from './stepped-queue.js';

export interface SettleOptions {
  /** More runs than this, and something never rests. */
  readonly runsMax: number;
  /** Real time for which a run may show no sign of an end. */
  readonly runMsMax: number;
  /** Whether everything that was written has been told to the controllers. */
  readonly isCaughtUp: (signal: AbortSignal) => Promise<boolean>;
}

/** How often a key ran, and how its last run went. */
interface Runs {
  count: number;
  last: string;
}

const keysNamedMax = 10;

/** Runs controllers when it is told to, in an order that chance decides, until nothing is left to do. */
export class Stepper {
  readonly #random: () => number;
  readonly #queues: SteppedQueue[] = [];
  #changed = Promise.withResolvers<void>();
  #runs = new Map<string, Runs>();

  constructor(random: () => number) {
    this.#random = random;
  }

  readonly createQueue = (controller: string, options: WorkQueueOptions<string>): SteppedQueue => {
    const queue = new SteppedQueue(controller, options, () => this.#wake());
    this.#queues.push(queue);
    return queue;
  };

  readonly onReport = (controller: string, report: RunReport): void => {
    const runs = this.#runs.get(`${controller} ${report.key}`);
    const { result, error } = report as RunReport & { readonly error?: unknown };
    if (runs) runs.last = error === undefined ? result : `${result}: ${error instanceof Error ? error.message : String(error)}`;
    this.#wake();
  };

  /**
   * Hands out keys until none is ready, none is being worked on and none waits because it failed. Time stands still: failed keys are
   * tried again at once, and keys that asked to be looked at later are left alone.
   *
   * @throws TAP_RECONCILE_RESTLESS, TAP_RECONCILE_STUCK naming the keys
   */
  async settle(options: SettleOptions): Promise<void> {
    this.#runs = new Map();
    for (let runs = 0; ;) {
      this.#changed = Promise.withResolvers<void>();
      const stepped = this.#stepAll();
      runs += stepped;
      if (runs > options.runsMax) throw this.#restless(options.runsMax);
      if (stepped > 0) continue;
      if (this.#running().length > 0) {
        await this.#change(options.runMsMax);
        continue;
      }
      if (!(await options.isCaughtUp(new AbortController().signal))) {
        await turn();
        continue;
      }
      for (const queue of this.#queues) queue.hurry();
      if (!this.#queues.some(({ isReady, failed }) => isReady || failed.size > 0)) return;
      await turn();
    }
  }

  /** Everything that can run now, in an order by chance; workers limit how much that is. */
  #stepAll(): number {
    let stepped = 0;
    for (;;) {
      const ready = this.#queues.filter(({ isReady }) => isReady);
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
    return this.#queues.flatMap(({ controller, running }) => [...running].map((key) => `${controller} ${key}`));
  }

  async #change(runMsMax: number): Promise<void> {
    const over = new AbortController();
    const stuck = wait(runMsMax, 'stuck' as const, { signal: over.signal }).catch(() => undefined);
    const first = await Promise.race([this.#changed.promise, stuck]);
    over.abort();
    if (first !== 'stuck') return;
    const message = `these keys have been running for ${runMsMax / 1000} s: ${this.#running().join(', ')}`;
    throw platformErrors.TAP_RECONCILE_STUCK({ message });
  }

  #restless(runsMax: number): Error {
    const byCount = [...this.#runs].toSorted(([, a], [, b]) => b.count - a.count).slice(0, keysNamedMax);
    const named = byCount.map(([name, { count, last }]) => `${name} (${count} runs, the last ${last})`);
    const message = `the controllers do not settle within ${runsMax} runs: ${named.join(', ')}`;
    return platformErrors.TAP_RECONCILE_RESTLESS({ message });
  }

  #wake(): void {
    this.#changed.resolve();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

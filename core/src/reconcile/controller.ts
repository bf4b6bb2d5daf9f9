import type { Clock, Outcome } from '@tappaas/sdk';
import { AgainPace } from './again-pace.js';
import { reconcileErrors } from './errors.js';
import { verdictOf, verdictOfFailure, type Verdict } from './outcome.js';
import { compareRevisions } from './revision.js';

/** The work queue of a controller. */
export interface KeyQueue {
  get(signal: AbortSignal): Promise<string | undefined>;
  add(key: string): boolean;
  addAfter(key: string, delayMs: number): boolean;
  /** Re-queues a key with back-off, but not before `delayMsMin`. */
  retry(key: string, delayMsMin?: number): number;
  forget(key: string): void;
  done(key: string): void;
}

/** What a run receives besides its key. */
export interface Run {
  /** Aborts at the deadline, and when the controller stops or loses its lease. */
  readonly signal: AbortSignal;
  /** Reports that the run wrote `revision`: the next run of the key waits until the cache has reached it. */
  readonly wrote: (revision: string) => void;
}

/** The result of one run, for metrics and logs. */
export type RunReport = Verdict & { readonly key: string; readonly durationMs: number };

export interface ControllerOptions {
  readonly name: string;
  readonly queue: KeyQueue;
  /** Maximum number of concurrent runs. Default 4. */
  readonly workersMax?: number;
  /** Receives a key, not an event, and reads everything again. */
  readonly reconcile: (key: string, run: Run) => Promise<Outcome>;
  /** Default 60,000. */
  readonly deadlineMs?: number;
  readonly clock: Clock;
  /** Resolves once the data that the reconcile reads has reached `revision`. */
  readonly waitFor?: (revision: string, signal: AbortSignal) => Promise<void>;
  readonly onReport?: (report: RunReport) => void;
}

export interface Controller {
  readonly name: string;
  /** Works until `signal` aborts or the queue ends; resolves when all runs have ended. */
  run(signal: AbortSignal): Promise<void>;
  /** Number of runs by result. */
  readonly counts: Readonly<Record<Verdict['result'], number>>;
  readonly running: number;
  /** Runs that continue after their deadline and no longer occupy a worker. */
  readonly overdue: number;
}

/** Time that an aborted run has to end before its worker continues without it. */
const graceMs = 1_000;
/** Delay between attempts to see an own write while the cache itself fails. */
const visibilityRetryMs = 1_000;

/**
 * Runs keys: never two runs of one key at a time, each with a deadline; outcomes are handled by the table in outcome.ts.
 *
 * A run that ignores its signal keeps its key (runs of one key never overlap) but not its worker: up to `workersMax` such runs are left
 * behind, beyond that workers wait for them.
 */
export function createController(options: ControllerOptions): Controller {
  return new ReconcileController(options);
}

class ReconcileController implements Controller {
  readonly name: string;
  readonly counts = { done: 0, again: 0, error: 0, timeout: 0, terminal: 0, stopped: 0 };
  running = 0;
  overdue = 0;
  readonly #options: ControllerOptions;
  readonly #workersMax: number;
  readonly #deadlineMs: number;
  readonly #againPace = new AgainPace();
  /** Runs and releases that no worker waits for. */
  readonly #detached = new Set<Promise<void>>();

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.name = options.name;
    this.#workersMax = options.workersMax ?? 4;
    this.#deadlineMs = options.deadlineMs ?? 60_000;
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: this.#workersMax }, () => this.#work(signal)));
    await Promise.all(this.#detached);
  }

  async #work(stop: AbortSignal): Promise<void> {
    const { queue } = this.#options;
    for (let key = await queue.get(stop); key !== undefined; key = await queue.get(stop)) await this.#process(key, stop);
  }

  /** Resolves when the run has ended or has been left behind. */
  #process(key: string, stop: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const ended = this.#reconcile(key, stop, () => {
        if (this.overdue >= this.#workersMax) return;
        this.overdue += 1;
        this.#detach(ended.then(() => void (this.overdue -= 1)));
        resolve();
      });
      void ended.then(resolve);
    });
  }

  /** Runs the reconcile; never rejects. `leaveBehind` is called once if the run continues after its deadline. */
  async #reconcile(key: string, stop: AbortSignal, leaveBehind: () => void): Promise<void> {
    const { clock } = this.#options;
    const startMs = clock.nowMs();
    const abort = new AbortController();
    const onStop = (): void => abort.abort(reconcileErrors.TAP_RECONCILE_STOPPED({ message: `controller ${this.name} stopped` }));
    const ended = new AbortController();
    let written: string | undefined;
    const wrote = (revision: string): void => {
      if (written === undefined || compareRevisions(revision, written) > 0) written = revision;
    };
    if (stop.aborted) onStop();
    else stop.addEventListener('abort', onStop, { once: true });
    void this.#enforceDeadline(key, abort, ended.signal, leaveBehind);
    this.running += 1;
    let verdict: Verdict;
    try {
      verdict = verdictOf(await this.#options.reconcile(key, { signal: abort.signal, wrote }));
    } catch (error) {
      verdict = verdictOfFailure(error);
    }
    this.running -= 1;
    // With an explicit reason, because abort() without one creates an error with a stack trace.
    ended.abort('the run has ended');
    stop.removeEventListener('abort', onStop);
    verdict = this.#judge(verdict, abort.signal, stop);
    this.#settle(key, verdict);
    this.#report({ ...verdict, key, durationMs: clock.nowMs() - startMs });
    this.#detach(this.#release(key, written, stop));
  }

  async #enforceDeadline(key: string, abort: AbortController, ended: AbortSignal, leaveBehind: () => void): Promise<void> {
    try {
      await this.#options.clock.sleep(this.#deadlineMs, ended);
      const message = `the reconcile of ${key} by ${this.name} took longer than ${this.#deadlineMs} ms`;
      abort.abort(reconcileErrors.TAP_RECONCILE_TIMEOUT({ message }));
      await this.#options.clock.sleep(graceMs, ended);
      leaveBehind();
    } catch (error) {
      if (!ended.aborted) throw error;
    }
  }

  /**
   * Adjusts the verdict of an aborted run: past its deadline it is a timeout; after a stop it is `stopped`, unless it succeeded or failed
   * terminally.
   */
  #judge(verdict: Verdict, signal: AbortSignal, stop: AbortSignal): Verdict {
    if (!signal.aborted) return verdict;
    if (signal.reason instanceof Error && !stop.aborted) return { result: 'timeout', error: signal.reason };
    return verdict.result === 'done' || verdict.result === 'again' || verdict.result === 'terminal' ? verdict : { result: 'stopped' };
  }

  #settle(key: string, verdict: Verdict): void {
    const { queue } = this.#options;
    if (verdict.result !== 'again') this.#againPace.forget(key);
    switch (verdict.result) {
      case 'done':
      case 'terminal':
        queue.forget(key);
        break;
      case 'again':
        queue.forget(key);
        queue.addAfter(key, this.#againPace.delayMs(key, verdict.afterMs));
        break;
      case 'error':
      case 'timeout':
        queue.retry(key, verdict.afterMsMin);
        break;
      case 'stopped':
        queue.add(key);
        break;
    }
  }

  /** Returns the key to the queue once the cache shows what the run wrote; no worker waits for that. */
  async #release(key: string, written: string | undefined, stop: AbortSignal): Promise<void> {
    if (written !== undefined) while (!stop.aborted && !(await this.#isVisible(written, stop))) continue;
    this.#options.queue.done(key);
  }

  async #isVisible(revision: string, stop: AbortSignal): Promise<boolean> {
    const { waitFor, clock } = this.#options;
    try {
      await waitFor?.(revision, stop);
      return true;
    } catch {
      await clock.sleep(visibilityRetryMs, stop).catch(() => {});
      return false;
    }
  }

  #report(report: RunReport): void {
    this.counts[report.result] += 1;
    try {
      this.#options.onReport?.(report);
    } catch {
      // Errors of listeners must not stop the controller.
    }
  }

  #detach(work: Promise<void>): void {
    this.#detached.add(work);
    void work.finally(() => this.#detached.delete(work));
  }
}

import type { WorkQueueOptions } from '../../queue/work-queue-options.js';
import { createWorkQueue, type Priority, type WorkQueue } from '../../queue/work-queue.js';
import type { ControllerQueue } from '../controllers/plugin-controller.js';

/** A queue that hands out keys one at a time on request, instead of as soon as they are ready. */
export class SteppedQueue implements ControllerQueue {
  readonly controller: string;
  readonly #queue: WorkQueue<string>;
  readonly #onChange: () => void;
  readonly #workers: ((key: string | undefined) => void)[] = [];
  readonly #failed = new Set<string>();
  readonly #running = new Set<string>();

  constructor(controller: string, options: WorkQueueOptions<string>, onChange: () => void) {
    this.controller = controller;
    this.#queue = createWorkQueue<string>(options);
    this.#onChange = onChange;
  }

  /** Keys in process. */
  get running(): ReadonlySet<string> {
    return this.#running;
  }

  /** Number of ready keys. */
  get depth(): number {
    return this.#queue.depth;
  }

  /** Whether a worker could take a key now. */
  get isReady(): boolean {
    return this.#workers.length > 0 && this.#queue.depth > 0;
  }

  /** Hands one ready key to a waiting worker; returns the key. */
  step(): string | undefined {
    if (!this.isReady) return undefined;
    const key = this.#queue.take();
    if (key === undefined) return undefined;
    this.#running.add(key);
    this.#failed.delete(key);
    this.#workers.shift()?.(key);
    return key;
  }

  /** Ends the back-off of all failed keys, which become ready. */
  endBackOff(): void {
    for (const key of this.#failed) this.#queue.add(key);
  }

  get(signal?: AbortSignal): Promise<string | undefined> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve(undefined);
      const leave = () => {
        const at = this.#workers.indexOf(take);
        if (at >= 0) this.#workers.splice(at, 1);
        resolve(undefined);
      };
      const take = (key: string | undefined) => {
        signal?.removeEventListener('abort', leave);
        resolve(key);
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#workers.push(take);
      this.#onChange();
    });
  }

  add(key: string, priority?: Priority): boolean {
    const taken = this.#queue.add(key, priority);
    this.#onChange();
    return taken;
  }

  addAfter(key: string, delayMs: number, priority?: Priority): boolean {
    const taken = this.#queue.addAfter(key, delayMs, priority);
    this.#onChange();
    return taken;
  }

  retry(key: string, delayMsMin?: number): number {
    return this.#queue.retry(key, delayMsMin);
  }

  /** Records that the key's last run failed, so that `endBackOff` makes it ready. */
  fail(key: string): void {
    this.#failed.add(key);
  }

  forget(key: string): void {
    this.#queue.forget(key);
  }

  done(key: string): void {
    this.#running.delete(key);
    this.#queue.done(key);
    this.#onChange();
  }

  async close(options: { readonly drain: boolean }): Promise<void> {
    for (const worker of this.#workers.splice(0)) worker(undefined);
    this.#failed.clear();
    await this.#queue.close(options);
  }
}

import { Worker } from 'node:worker_threads';
import { runningFrame } from './identity.js';
import { beatSlot, endedSlot, endSlot, frameProbe, looks, type Blocked } from './watchdog-wire.js';

const beatMs = 50;
const goodbyeMs = 500;

export interface WatchdogOptions {
  /** A turn of the event loop that takes longer is reported. */
  readonly blockedMsMax: number;
  /** Called after the block, because this thread cannot run during it. */
  readonly onBlocked: (blocked: Blocked) => void;
}

/**
 * A thread that detects when the event loop does not turn, and reports, while that lasts, whose code blocks it. It looks into this thread
 * through the inspector, so calls cost nothing in normal operation. It runs on real time, because a test clock cannot be blocked.
 *
 * It cannot end a synchronous endless loop; nothing in the same process can.
 */
export class Watchdog {
  /** Resolves when it is attached, or when it never will be; blocks before that are not observed. */
  readonly looking: Promise<void>;
  readonly #shared = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
  readonly #beat: NodeJS.Timeout;
  readonly #worker: Worker;
  readonly #onExit = (): void => this.#sayGoodbye();

  constructor({ blockedMsMax, onBlocked }: WatchdogOptions) {
    Object.defineProperty(globalThis, Symbol.for(frameProbe), { value: probe, configurable: true, enumerable: false });
    this.#worker = new Worker(new URL('./watchdog-thread.js', import.meta.url), { workerData: { shared: this.#shared, blockedMsMax } });
    this.#worker.unref();
    this.looking = new Promise((resolve) => {
      this.#worker.on('message', (message: typeof looks | Blocked) => (message === looks ? resolve() : onBlocked(message)));
      this.#worker.on('error', () => clearInterval(this.#beat));
      this.#worker.once('exit', () => resolve());
    });
    this.#beat = setInterval(() => Atomics.add(this.#shared, beatSlot, 1), beatMs);
    this.#beat.unref();
    process.once('exit', this.#onExit);
  }

  async close(): Promise<void> {
    clearInterval(this.#beat);
    process.off('exit', this.#onExit);
    Atomics.store(this.#shared, endSlot, 1);
    this.#worker.ref();
    await new Promise((resolve) => this.#worker.once('exit', resolve));
  }

  /** Ends the thread first: a process that exits with a debugger attached would wait for it and print a message to standard error. */
  #sayGoodbye(): void {
    Atomics.store(this.#shared, endSlot, 1);
    Atomics.wait(this.#shared, endedSlot, 0, goodbyeMs);
  }
}

/** Called by the thread, interrupting whatever is running. */
function probe(): string {
  const frame = runningFrame();
  const lines = (new Error('running').stack ?? '').split('\n').slice(3, 13);
  return JSON.stringify({ plugin: frame?.plugin, point: frame?.point, stack: lines.map((line) => line.trim()).join('\n') });
}

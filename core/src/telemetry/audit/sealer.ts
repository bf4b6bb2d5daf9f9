import { Worker } from 'node:worker_threads';
import type { Awaitable, Logger } from '@tappaas/sdk';
import type { ChainEnd } from './chain.js';
import type { BatchedEvents, EventBatch } from './event-batch.js';
import { sealed, type SealedBlock } from './seal.js';

/** A request to the thread. */
export interface SealRequest {
  readonly chain: string;
  readonly end: ChainEnd;
  readonly events: BatchedEvents;
}

interface PendingSeal {
  readonly request: SealRequest;
  readonly answer: (block: SealedBlock) => void;
}

/** Up to this number of events, sealing directly costs less than using the thread. */
const aloneMax = 100;

/**
 * Seals batches of events: small ones directly, large ones in a thread, so that requests of a busy platform do not wait for hashing. The
 * thread is started for the first large batch; if it fails or cannot be created, all batches are sealed directly.
 */
export class Sealer {
  readonly #chain: string;
  readonly #log: Logger;
  readonly #makeThread: () => Worker;
  #thread: Worker | undefined;
  #pending: PendingSeal | undefined;
  #isAlone = false;

  constructor(chain: string, log: Logger, makeThread = sealThread) {
    this.#chain = chain;
    this.#log = log;
    this.#makeThread = makeThread;
  }

  /** Seals one batch. Calls must not overlap, because each batch continues from the end of the previous one. */
  seal(end: ChainEnd, batch: EventBatch): Awaitable<SealedBlock> {
    const chain = this.#chain;
    if (this.#isAlone || batch.size <= aloneMax) return sealed(chain, end, batch);
    return new Promise((answer) => this.#ask({ request: { chain, end, events: batch.data }, answer }));
  }

  async close(): Promise<void> {
    this.#isAlone = true;
    await this.#thread?.terminate();
  }

  #ask(pending: PendingSeal): void {
    this.#pending = pending;
    try {
      this.#thread ??= this.#start();
      this.#thread.ref();
      this.#thread.postMessage(pending.request, []);
    } catch (error) {
      this.#goAlone(error);
    }
  }

  #start(): Worker {
    const thread = this.#makeThread();
    thread.on('message', (block: SealedBlock) => this.#answer(block));
    thread.on('error', (error) => this.#goAlone(error));
    thread.on('exit', (code) => this.#goAlone(new Error(`it ended with ${code}`)));
    return thread;
  }

  #answer(block: SealedBlock): void {
    const pending = this.#pending;
    this.#pending = undefined;
    // The thread does not keep the process alive; an orderly stop waits for its lines.
    this.#thread?.unref();
    pending?.answer(block);
  }

  #goAlone(error: unknown): void {
    if (!this.#isAlone) this.#log.warn('the thread that seals audit lines has failed; they are sealed without it', { error });
    this.#isAlone = true;
    if (this.#pending === undefined) return;
    const { chain, end, events } = this.#pending.request;
    this.#answer(sealed(chain, end, events));
  }
}

/** Creates the thread. Throws where the system allows no further threads. */
function sealThread(): Worker {
  return new Worker(new URL('seal-thread.js', import.meta.url), { name: 'audit', execArgv: [] });
}

import { Worker } from 'node:worker_threads';
import { storeErrors, type TapError } from '@tappaas/sdk';
import { encodeOperations } from './operation-codec.js';
import type { Reply, Request, WireOperation, WireQuery, WireResult, WireState, WriterData, Written } from './protocol.js';
import { decodeResults } from './result-codec.js';
import { fromWire } from './wire-error.js';

/** Limits on operations that wait for the writer, and on their bytes. */
const pendingOperationsMax = 10_000;
const pendingBytesMax = 64 * 1_024 * 1_024;

/** A pending operation, with the values of its puts. */
export interface Pending {
  readonly operation: WireOperation;
  readonly values: readonly Uint8Array[];
  readonly bytes: number;
  readonly resolve: (result: WireResult) => void;
  readonly reject: (error: TapError) => void;
}

interface PendingRequest {
  readonly answered: (value: unknown) => void;
  readonly failed: (error: TapError) => void;
}

/** Callbacks of the link; each is called before the affected promises settle. */
export interface LinkListener {
  /** Operations became durable or failed, in order. */
  onWritten(works: readonly Pending[], written: Written): void;
  /** The disk failed. */
  onBroken(error: TapError): void;
  /** The writer has ended for good; `error` is undefined if that was requested. */
  onExit(error: TapError | undefined): void;
}

/** The connection to the writer's thread; all writes of one turn of the event loop are sent as one message. */
export class WriterLink {
  readonly #worker: Worker;
  readonly #listener: LinkListener;
  /** Writes of the present turn, not sent yet. */
  #collected: Pending[] = [];
  /** Sent writes without a response, oldest first. */
  #sent: Pending[] = [];
  #pendingBytes = 0;
  readonly #requests = new Map<number, PendingRequest>();
  #questions = 0;
  #failure: TapError | undefined;
  readonly #opening = Promise.withResolvers<WireState>();
  readonly #exit = Promise.withResolvers<void>();

  constructor(data: WriterData, listener: LinkListener) {
    this.#listener = listener;
    // Options of the process, such as --input-type, may not be allowed for a thread.
    this.#worker = new Worker(new URL('writer/worker.js', import.meta.url), { workerData: data, name: 'store-sqlite', execArgv: [] });
    this.#worker.on('message', (reply: Reply) => this.#receive(reply));
    this.#worker.on('error', (cause) => this.#end(writerFailed(cause)));
    this.#worker.on('exit', () => {
      this.#end(storeErrors.TAP_STORE_UNAVAILABLE({ message: 'the writer ended' }));
      this.#exit.resolve();
    });
  }

  /** The state of the store when it was opened. @throws TAP_STORE_LOCKED, TAP_STORE_CORRUPT, TAP_STORE_UNAVAILABLE */
  opened(): Promise<WireState> {
    return this.#opening.promise;
  }

  /** Queues an operation for the end of this turn. @throws TAP_STORE_UNAVAILABLE when the queue is full or the writer has ended */
  write(operation: WireOperation, values: readonly Uint8Array[] = []): Promise<WireResult> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const bytes = values.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (this.#collected.length + this.#sent.length >= pendingOperationsMax || this.#pendingBytes + bytes > pendingBytesMax) {
      return Promise.reject(storeErrors.TAP_STORE_UNAVAILABLE({ message: 'too many writes wait for the disk', retryAfterMs: 200 }));
    }
    this.#pendingBytes += bytes;
    return new Promise((resolve, reject) => {
      if (this.#collected.length === 0) setImmediate(() => this.#send());
      this.#collected.push({ operation, values, bytes, resolve, reject });
    });
  }

  /** Sends a query, which is processed after all earlier writes; `onAnswer` runs before any later reply is processed. */
  query<T>(query: WireQuery, onAnswer?: (value: T) => void): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#send();
    const id = ++this.#questions;
    return new Promise((resolve, reject) => {
      const answered = (value: unknown) => {
        onAnswer?.(value as T);
        resolve(value as T);
      };
      this.#requests.set(id, { answered, failed: reject });
      this.#post({ kind: 'query', id, query });
    });
  }

  /** Sets whether results include the previous states of keys. */
  wantPrevious(wanted: boolean): void {
    if (this.#failure === undefined) this.#post({ kind: 'previous', wanted });
  }

  /** Sends pending writes, waits for their results and for the end of the thread. */
  async close(): Promise<void> {
    if (this.#failure === undefined) {
      this.#send();
      this.#post({ kind: 'close' });
    }
    await this.#exit.promise;
  }

  #send(): void {
    if (this.#collected.length === 0 || this.#failure !== undefined) return;
    const works = this.#collected;
    this.#collected = [];
    this.#sent = this.#sent.length === 0 ? works : this.#sent.concat(works);
    const values = new Uint8Array(works.reduce((sum, { bytes }) => sum + bytes, 0));
    let offset = 0;
    for (const work of works) {
      for (const value of work.values) {
        values.set(value, offset);
        offset += value.byteLength;
      }
    }
    const operations = encodeOperations(works.map(({ operation }) => operation));
    this.#post({ kind: 'write', operations, values: values.buffer }, [operations.numbers.buffer, values.buffer]);
  }

  #post(request: Request, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }

  #receive(reply: Reply): void {
    switch (reply.kind) {
      case 'opened':
        return this.#opening.resolve(reply.state);
      case 'written':
        return this.#settle({ ...reply, results: decodeResults(reply.results) });
      case 'answer':
        return this.#take(reply.id)?.answered(reply.value);
      case 'error':
        return this.#take(reply.id)?.failed(fromWire(reply.error));
      case 'broken':
        return this.#listener.onBroken(fromWire(reply.error));
      case 'closed':
        return this.#end(reply.error === undefined ? undefined : fromWire(reply.error));
    }
  }

  #settle(written: Written): void {
    const works = this.#sent.slice(0, written.results.length);
    this.#sent = this.#sent.slice(works.length);
    for (const { bytes } of works) this.#pendingBytes -= bytes;
    if (written.broken !== undefined) this.#listener.onBroken(fromWire(written.broken));
    this.#listener.onWritten(works, written);
    for (const [index, { resolve }] of works.entries()) resolve(written.results[index] as WireResult);
  }

  #take(id: number): PendingRequest | undefined {
    const pending = this.#requests.get(id);
    this.#requests.delete(id);
    return pending;
  }

  /** Rejects everything pending: the outcome of sent writes is unknown; unsent writes have not happened. */
  #end(error: TapError | undefined): void {
    if (this.#failure !== undefined) return;
    const reason = error ?? storeErrors.TAP_STORE_UNAVAILABLE({ message: 'the store is closed' });
    this.#failure = reason;
    this.#opening.reject(reason);
    const unknown = storeErrors.TAP_STORE_OUTCOME_UNKNOWN({
      message: `the writer ended before it answered: ${reason.message}`,
      cause: error,
    });
    for (const { reject } of this.#sent) reject(unknown);
    for (const { reject } of this.#collected) reject(reason);
    for (const { failed } of this.#requests.values()) failed(reason);
    this.#listener.onExit(error);
  }
}

function writerFailed(cause: unknown): TapError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return storeErrors.TAP_STORE_UNAVAILABLE({ message: `the writer failed: ${reason}`, cause });
}

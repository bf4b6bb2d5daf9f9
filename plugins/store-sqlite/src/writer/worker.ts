import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { TapError } from '@tappaas/sdk/store';
import { Failpoints } from '../failpoints.js';
import { decodeOperations } from '../operation-codec.js';
import type { Reply, Request, WriterData } from '../protocol.js';
import { encodeResults } from '../result-codec.js';
import { wireError } from '../wire-error.js';
import { makeDirectory, openDatabase } from './database.js';
import { diskFault } from './disk-fault.js';
import { lockDirectory } from './lock.js';
import { Writer, type Work } from './writer.js';

/** Limits of one batch; further operations form the next batch. */
const batchOperationsMax = 4_096;
const batchBytesMax = 16 * 1_024 * 1_024;

/** The writer's thread: takes all pending messages, batches writes, and responds in order. */
class WriterThread {
  readonly #port: MessagePort;
  readonly #writer: Writer;
  readonly #failpoints: Failpoints | undefined;
  readonly #unlock: () => void;
  #works: Work[] = [];
  #bytes = 0;
  #housekeeping = false;
  #closed = false;

  constructor(port: MessagePort, data: WriterData) {
    const { directory, checkpointBytes } = data;
    this.#port = port;
    this.#failpoints = data.failpoints && new Failpoints(data.failpoints);
    makeDirectory(directory);
    this.#unlock = lockDirectory(directory);
    const database = openDatabase(directory, data.sizeBytesMax);
    this.#writer = new Writer({ database, directory, checkpointBytes, failpoints: this.#failpoints });
  }

  listen(): void {
    this.#send({ kind: 'opened', state: this.#writer.ledger.state });
    this.#port.on('message', (request: Request) => this.#takeAll(request));
    this.#housekeepSoon();
  }

  /** Takes all pending messages in one turn, which is what makes a group commit. */
  #takeAll(first: Request): void {
    for (let request: Request | undefined = first; request !== undefined; request = receiveMessageOnPort(this.#port)?.message) {
      this.#take(request);
    }
    this.#write();
    this.#housekeepSoon();
  }

  #take(request: Request): void {
    if (request.kind === 'write') return this.#collect(request);
    this.#write();
    if (request.kind === 'previous') return this.#writer.wantPrevious(request.wanted);
    if (request.kind === 'close') return this.#close();
    try {
      const value = this.#writer.query(request.query);
      this.#send({ kind: 'answer', id: request.id, value });
    } catch (error) {
      this.#send({ kind: 'error', id: request.id, error: wireError(error as TapError) });
    }
  }

  #collect({ operations, values }: Extract<Request, { kind: 'write' }>): void {
    let offset = 0;
    for (const operation of decodeOperations(operations)) {
      const bytes = operation.kind === 'transact' ? operation.changes.reduce((sum, { length }) => sum + Math.max(0, length), 0) : 0;
      if (this.#works.length === batchOperationsMax || this.#bytes + bytes > batchBytesMax) this.#write();
      this.#works.push({ operation, values: new Uint8Array(values, offset, bytes) });
      this.#bytes += bytes;
      offset += bytes;
    }
  }

  #write(): void {
    if (this.#works.length === 0) return;
    const works = this.#works;
    this.#works = [];
    this.#bytes = 0;
    const { results, ...written } = this.#writer.write(works);
    const encoded = encodeResults(results);
    this.#port.postMessage({ kind: 'written', results: encoded, ...written } satisfies Reply, [encoded.numbers.buffer]);
    this.#failpoints?.pass('batch.answered');
  }

  #housekeepSoon(): void {
    if (this.#housekeeping) return;
    this.#housekeeping = true;
    setImmediate(() => {
      this.#housekeeping = false;
      if (this.#closed) return;
      try {
        if (this.#writer.housekeep()) this.#housekeepSoon();
      } catch (error) {
        this.#send({ kind: 'broken', error: wireError(error as TapError) });
      }
    });
  }

  #close(): void {
    this.#closed = true;
    this.#writer.close();
    this.#unlock();
    this.#send({ kind: 'closed' });
    this.#port.close();
  }

  #send(reply: Reply): void {
    this.#port.postMessage(reply, []);
  }
}

if (parentPort !== null) {
  const data = workerData as WriterData;
  try {
    new WriterThread(parentPort, data).listen();
  } catch (error) {
    const reply: Reply = { kind: 'closed', error: wireError(diskFault(error, data.directory)) };
    parentPort.postMessage(reply, []);
    parentPort.close();
  }
}

import type { Socket } from 'node:net';

const headEnd = Buffer.from('\r\n\r\n');
const lengthName = Buffer.from('\r\nContent-Length: ');
const nothing = Buffer.alloc(0);
const zero = 0x30;
const space = 0x20;

/** A connection with one request at a time: of an answer only its status and its length are looked at, as bytes. */
export class Lane {
  readonly #socket: Socket;
  readonly #answered: (lane: Lane) => void;
  #dueMs = 0;
  #status = 0;
  /** Bytes of the answer that are still to come; before its head is whole: Infinity. */
  #left = 0;
  #head: Buffer = nothing;

  constructor(socket: Socket, answered: (lane: Lane) => void) {
    this.#socket = socket;
    this.#answered = answered;
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    // Status 0: a connection that is gone answers nothing, and waiting for it would have no end.
    socket.once('close', () => {
      this.#status = 0;
      this.#answered(this);
    });
  }

  get dueMs(): number {
    return this.#dueMs;
  }

  get status(): number {
    return this.#status;
  }

  send(request: Buffer, dueMs: number): void {
    this.#dueMs = dueMs;
    this.#left = Infinity;
    this.#socket.write(request);
  }

  #received(chunk: Buffer): void {
    if (this.#left !== Infinity) this.#left -= chunk.byteLength;
    else this.#begin(this.#head === nothing ? chunk : Buffer.concat([this.#head, chunk]));
    if (this.#left === 0) this.#answered(this);
  }

  #begin(bytes: Buffer): void {
    const end = bytes.indexOf(headEnd);
    this.#head = end < 0 ? bytes : nothing;
    if (end < 0) return;
    this.#status = numberAt(bytes, bytes.indexOf(space) + 1);
    this.#left = end + headEnd.length + numberAt(bytes, bytes.indexOf(lengthName) + lengthName.length) - bytes.byteLength;
  }
}

function numberAt(bytes: Buffer, from: number): number {
  let value = 0;
  for (let at = from; ; at += 1) {
    const digit = (bytes[at] ?? 0) - zero;
    if (digit < 0 || digit > 9) return value;
    value = value * 10 + digit;
  }
}

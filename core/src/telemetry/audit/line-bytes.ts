import { timesText } from './event-text.js';

/** Typical size, so that the buffer rarely has to grow. */
const usualLineBytes = 1_100;
/** Maximum bytes of one UTF-16 code unit in UTF-8. */
const charBytesMax = 3;
const beforeHash = Buffer.from(',"hash":"');
const afterHash = Buffer.from('"}\n');
/** Maximum size of the remaining parts of a line: the frame with both hashes, the id and the times. */
const otherBytesMax = 1_024;
const digit9 = 0x39;

/** Buffer in which the lines of a chain are assembled; it grows as needed. */
export class LineBytes {
  used = 0;
  readonly #chain: string;
  #slab: Buffer<ArrayBuffer>;
  /** The start of the last line, up to the hash of its predecessor. */
  #head: Buffer = Buffer.alloc(0);
  #lastDigit = -1;
  #lastTimes: readonly [receivedAtMs: number, atMs: number, text: Buffer] = [Number.NaN, Number.NaN, Buffer.alloc(0)];

  constructor(lines: number, chain: string) {
    this.#chain = chain;
    this.#slab = Buffer.allocUnsafeSlow(lines * usualLineBytes + otherBytesMax);
  }

  from(begin: number): Buffer<ArrayBuffer> {
    return this.#slab.subarray(begin, this.used);
  }

  /** Writes the start of a line. Numbers are consecutive, so usually only one digit differs from the last. */
  frame(sequence: number, previous: string): void {
    this.#makeRoom(otherBytesMax);
    const digit = this.#head[this.#lastDigit];
    if (digit !== undefined && digit < digit9) this.#head[this.#lastDigit] = digit + 1;
    else {
      const numbered = `{"chain":"${this.#chain}","sequence":${sequence}`;
      this.#head = Buffer.from(`${numbered},"previous":"`);
      this.#lastDigit = Buffer.byteLength(numbered) - 1;
    }
    this.bytes(this.#head);
    this.#digest(previous);
  }

  text(text: string): void {
    this.#makeRoom(text.length * charBytesMax);
    this.used += this.#slab.write(text, this.used, 'utf8');
  }

  bytes(bytes: Uint8Array): void {
    this.#makeRoom(bytes.byteLength);
    this.#slab.set(bytes, this.used);
    this.used += bytes.byteLength;
  }

  /** Copies a short part byte by byte: creating a view would cost more. */
  part(bytes: Uint8Array, begin: number, end: number): void {
    this.#makeRoom(end - begin);
    for (let at = begin; at < end; at += 1) this.#slab[this.used + at - begin] = bytes[at] ?? 0;
    this.used += end - begin;
  }

  /** Writes the times; events of the same milliseconds share their text. */
  times(receivedAtMs: number, atMs: number): void {
    if (this.#lastTimes[0] !== receivedAtMs || this.#lastTimes[1] !== atMs) {
      this.#lastTimes = [receivedAtMs, atMs, Buffer.from(timesText(receivedAtMs, atMs))];
    }
    this.bytes(this.#lastTimes[2]);
  }

  /** Writes the end of a line. */
  close(hash: string): void {
    this.bytes(beforeHash);
    this.#digest(hash);
    this.bytes(afterHash);
  }

  /** Writes hexadecimal digits. */
  #digest(hash: string): void {
    this.used += this.#slab.write(hash, this.used, 'latin1');
  }

  #makeRoom(bytes: number): void {
    if (this.#slab.byteLength - this.used >= bytes) return;
    const larger = Buffer.allocUnsafeSlow(2 * this.#slab.byteLength + bytes);
    larger.set(this.from(0));
    this.#slab = larger;
  }
}

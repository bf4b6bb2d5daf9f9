import { hash } from 'node:crypto';
import type { ChainEnd } from './chain.js';
import type { BatchedEvents } from './event-batch.js';
import { timesText } from './event-text.js';
import { quoted } from './json-text.js';

/** Lines of the chain beside each other, each with its line's end. */
export interface SealedBlock {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Behind the line's end of each. */
  readonly ends: Uint32Array<ArrayBuffer>;
  /** Of the last line. */
  readonly hash: string;
}

/** Usual sizes, so that the bytes seldom have to be moved. */
const usualLineBytes = 1_100;
/** More than a line has besides its event: the frame and the times. */
const frameBytesMax = 512;
/** Of one character of a string, in UTF-8. */
const charBytesMax = 3;

/**
 * Makes lines out of events: each carries its number, the hash of the line before and its own, SHA-256 over everything in front of
 * it, so that `sha256sum` finds the same. Lines are laid down as bytes at once, beside each other: they are hashed and written as such.
 */
export function sealed(chain: string, end: ChainEnd, events: BatchedEvents): SealedBlock {
  const { texts, formOf, times } = events;
  const forms = events.forms.map((text) => Buffer.from(text));
  const lines = new Lines(texts.length * usualLineBytes + frameBytesMax);
  const ends = new Uint32Array(texts.length);
  let previous = end.hash;
  for (const [index, text] of texts.entries()) {
    const begin = lines.used;
    const frame = `{"chain":"${chain}","sequence":${end.sequence + index + 1},"previous":"${previous}","event":`;
    const form = 3 * (formOf[index] ?? -1);
    if (form < 0) lines.text(frame + text);
    else {
      lines.text(frame);
      lines.bytes(forms[form]);
      lines.text(quoted(text));
      lines.bytes(forms[form + 1]);
      lines.times(times[2 * index] ?? 0, times[2 * index + 1] ?? 0);
      lines.bytes(forms[form + 2]);
    }
    previous = hash('sha256', lines.from(begin), 'hex');
    lines.text(`,"hash":"${previous}"}\n`);
    ends[index] = lines.used;
  }
  return { bytes: lines.from(0), ends, hash: previous };
}

/** Bytes that texts are laid down in; grows when they are more than was expected. */
class Lines {
  used = 0;
  #slab: Buffer<ArrayBuffer>;
  #lastTimes: readonly [receivedAtMs: number, atMs: number, text: Buffer] = [Number.NaN, Number.NaN, Buffer.alloc(0)];

  constructor(bytes: number) {
    this.#slab = Buffer.allocUnsafeSlow(bytes);
  }

  from(begin: number): Buffer<ArrayBuffer> {
    return this.#slab.subarray(begin, this.used);
  }

  text(text: string): void {
    this.#makeRoom(text.length * charBytesMax);
    this.used += this.#slab.write(text, this.used, 'utf8');
  }

  bytes(bytes: Uint8Array | undefined): void {
    if (bytes === undefined) return;
    this.#makeRoom(bytes.byteLength);
    this.#slab.set(bytes, this.used);
    this.used += bytes.byteLength;
  }

  /** Events of the same milliseconds share their text. */
  times(receivedAtMs: number, atMs: number): void {
    if (this.#lastTimes[0] !== receivedAtMs || this.#lastTimes[1] !== atMs) {
      this.#lastTimes = [receivedAtMs, atMs, Buffer.from(timesText(receivedAtMs, atMs))];
    }
    this.bytes(this.#lastTimes[2]);
  }

  #makeRoom(bytes: number): void {
    if (this.#slab.byteLength - this.used >= bytes) return;
    const larger = Buffer.allocUnsafeSlow(2 * this.#slab.byteLength + bytes);
    larger.set(this.from(0));
    this.#slab = larger;
  }
}

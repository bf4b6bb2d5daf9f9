import { hash } from 'node:crypto';
import type { AuditLine } from '@tappaas/sdk';

/** How far a chain has come. */
export interface ChainEnd {
  readonly sequence: number;
  readonly hash: string;
}

/** A line of the chain, taken apart. */
export interface ChainedLine extends ChainEnd {
  readonly chain: string;
  readonly previous: string;
  /** JSON of the event. */
  readonly event: string;
  /** The hash is that of the line. */
  readonly isIntact: boolean;
}

/** What the first line of a chain names as its predecessor. */
export const genesis: ChainEnd = Object.freeze({ sequence: 0, hash: '0'.repeat(64) });

const slabBytes = 256 * 1024;
/** More than a line has besides its event. */
const frameBytesMax = 512;
/** Of one character of a string, in UTF-8. */
const charBytesMax = 3;

/** A line whose text is made only when somebody reads it: most are only written. */
class SealedLine implements AuditLine {
  readonly chain: string;
  readonly sequence: number;
  readonly bytes: Buffer;

  constructor(chain: string, sequence: number, bytes: Buffer) {
    this.chain = chain;
    this.sequence = sequence;
    this.bytes = bytes;
  }

  get text(): string {
    return this.bytes.toString('utf8');
  }
}

/**
 * Makes lines out of events: each carries its number, the hash of the line before and its own, SHA-256 over everything in front of
 * it, so that `sha256sum` finds the same. Lines are laid down as bytes at once, beside each other: they are hashed and written as such,
 * and strings that wait for their sink are what the garbage collector would have to carry along.
 */
export class Chain {
  readonly #name: string;
  #end: ChainEnd;
  #slab = Buffer.alloc(0);
  #used = 0;

  constructor(name: string, end: ChainEnd) {
    this.#name = name;
    this.#end = end;
  }

  get end(): ChainEnd {
    return this.#end;
  }

  /** `event` is JSON on one line. */
  append(event: string): AuditLine {
    const sequence = this.#end.sequence + 1;
    this.#makeRoom(event.length * charBytesMax + frameBytesMax);
    const begin = this.#used;
    this.#put(`{"chain":"${this.#name}","sequence":${sequence},"previous":"${this.#end.hash}","event":${event}`);
    const own = hash('sha256', this.#slab.subarray(begin, this.#used), 'hex');
    this.#put(`,"hash":"${own}"}`);
    this.#end = { sequence, hash: own };
    return new SealedLine(this.#name, sequence, this.#slab.subarray(begin, this.#used));
  }

  #put(text: string): void {
    this.#used += this.#slab.write(text, this.#used, 'utf8');
  }

  #makeRoom(bytes: number): void {
    if (this.#slab.length - this.#used >= bytes) return;
    this.#slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytes));
    this.#used = 0;
  }
}

const form =
  /^\{"chain":"([A-Za-z0-9-]{1,63})","sequence":([1-9][0-9]{0,15}),"previous":"([0-9a-f]{64})","event":(\{.*\}),"hash":"([0-9a-f]{64})"\}$/s;

/** Takes a line apart; nothing when it has not the form of one. Whether the event is JSON is not looked at. */
export function parseLine(text: string): ChainedLine | undefined {
  const parts = form.exec(text);
  if (parts === null) return undefined;
  const [, chain = '', sequence = '', previous = '', event = '', own = ''] = parts;
  const head = text.slice(0, text.length - own.length - ',"hash":""}'.length);
  return { chain, sequence: Number(sequence), previous, event, hash: own, isIntact: hash('sha256', head, 'hex') === own };
}

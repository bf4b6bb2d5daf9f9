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

/** Names of chains: they become names of files. */
export const chainName = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

/**
 * Makes lines out of events: each carries its number, the hash of the line before and its own, SHA-256 over everything in front of
 * it, so that `sha256sum` finds the same.
 */
export class Chain {
  readonly #name: string;
  #end: ChainEnd;

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
    const head = `{"chain":"${this.#name}","sequence":${sequence},"previous":"${this.#end.hash}","event":${event}`;
    const own = hash('sha256', head, 'hex');
    this.#end = { sequence, hash: own };
    return { chain: this.#name, sequence, text: `${head},"hash":"${own}"}` };
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

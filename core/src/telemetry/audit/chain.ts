import { hash } from 'node:crypto';

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

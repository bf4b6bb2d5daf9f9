import { hash } from 'node:crypto';

/** The end of a chain: number and hash of its last line. */
export interface ChainEnd {
  readonly sequence: number;
  readonly hash: string;
}

/** A parsed line of a chain. */
export interface ChainedLine extends ChainEnd {
  readonly chain: string;
  readonly previous: string;
  /** JSON of the event. */
  readonly event: string;
  /** Whether the hash matches the line. */
  readonly isIntact: boolean;
}

/** The predecessor of the first line of a chain. */
export const genesis: ChainEnd = Object.freeze({ sequence: 0, hash: '0'.repeat(64) });

const form =
  /^\{"chain":"([A-Za-z0-9-]{1,63})","sequence":([1-9][0-9]{0,15}),"previous":"([0-9a-f]{64})","event":(\{.*\}),"hash":"([0-9a-f]{64})"\}$/s;

/** Parses a line; undefined when it is malformed. Does not check that the event is JSON. */
export function parseLine(text: string): ChainedLine | undefined {
  const parts = form.exec(text);
  if (parts === null) return undefined;
  const [, chain = '', sequence = '', previous = '', event = '', own = ''] = parts;
  const head = text.slice(0, text.length - own.length - ',"hash":""}'.length);
  return { chain, sequence: Number(sequence), previous, event, hash: own, isIntact: hash('sha256', head, 'hex') === own };
}

import type { AuditLine, AuditLines } from '@tappaas/sdk';
import { genesis, type ChainEnd } from './chain.js';
import type { SealedBlock } from './seal.js';

const hashChars = genesis.hash.length;

/** Consecutive lines of a chain. */
interface Source {
  readonly chain: string;
  /** Number of the first line. */
  readonly first: number;
  readonly block: SealedBlock;
}

/**
 * A line within a block. Its text is decoded only when read, since most lines are only written. Two fields each, because there are many
 * lines and they live as long as a disk write takes.
 */
export class SealedLine implements AuditLine {
  readonly #source: Source;
  readonly #index: number;

  constructor(source: Source, index: number) {
    this.#source = source;
    this.#index = index;
  }

  get chain(): string {
    return this.#source.chain;
  }

  get sequence(): number {
    return this.#source.first + this.#index;
  }

  get block(): Uint8Array {
    return this.#source.block.bytes;
  }

  get begin(): number {
    return this.#index === 0 ? 0 : (this.#source.block.ends[this.#index - 1] ?? 0);
  }

  /** Offset of the newline. */
  get end(): number {
    return (this.#source.block.ends[this.#index] ?? 0) - 1;
  }

  get bytes(): Uint8Array {
    return this.block.subarray(this.begin, this.end);
  }

  get text(): string {
    return this.#text(this.begin, this.end);
  }

  /** The hash of this line. */
  get hash(): string {
    const end = this.end - '"}'.length;
    return this.#text(end - hashChars, end);
  }

  #text(begin: number, end: number): string {
    const { block } = this;
    return Buffer.from(block.buffer, block.byteOffset + begin, end - begin).toString('utf8');
  }
}

/** Returns the lines of a block that follows `before`. */
export function linesOf(chain: string, before: ChainEnd, block: SealedBlock): readonly SealedLine[] {
  const source = { chain, first: before.sequence + 1, block };
  return Array.from(block.ends, (_, index) => new SealedLine(source, index));
}

export function sizeOf(line: AuditLine): number {
  if (line instanceof SealedLine) return line.end - line.begin;
  return line.bytes?.byteLength ?? line.text.length;
}

/** Prepares lines for a sink, with their bytes in as few pieces as possible. */
export function inPieces(lines: readonly AuditLine[]): AuditLines {
  const pieces: Uint8Array[] = [];
  let first: SealedLine | undefined;
  let last: SealedLine | undefined;
  const cut = (): void => {
    if (first !== undefined && last !== undefined) pieces.push(first.block.subarray(first.begin, last.end + 1));
  };
  for (const line of lines) {
    if (!(line instanceof SealedLine)) return lines;
    if (line.block !== last?.block || line.begin !== last.end + 1) {
      cut();
      first = line;
    }
    last = line;
  }
  cut();
  return Object.assign([...lines], { pieces });
}

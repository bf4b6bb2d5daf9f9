import type { AuditLine, AuditLines } from '@tappaas/sdk';
import type { ChainEnd } from './chain.js';
import type { SealedBlock } from './seal.js';

/** A line that lies in a block beside others; its text is made only when somebody reads it, most are only written. */
export class SealedLine implements AuditLine {
  readonly chain: string;
  readonly sequence: number;
  readonly block: Uint8Array;
  readonly begin: number;
  /** Where its line's end is. */
  readonly end: number;

  constructor(chain: string, sequence: number, block: Uint8Array, begin: number, end: number) {
    this.chain = chain;
    this.sequence = sequence;
    this.block = block;
    this.begin = begin;
    this.end = end;
  }

  get bytes(): Uint8Array {
    return this.block.subarray(this.begin, this.end);
  }

  get text(): string {
    return Buffer.from(this.block.buffer, this.block.byteOffset + this.begin, this.end - this.begin).toString('utf8');
  }
}

/** The lines of a block that follows `before`. */
export function linesOf(chain: string, before: ChainEnd, { bytes, ends }: SealedBlock): readonly SealedLine[] {
  const lines: SealedLine[] = [];
  let begin = 0;
  for (const end of ends) {
    lines.push(new SealedLine(chain, before.sequence + lines.length + 1, bytes, begin, end - 1));
    begin = end;
  }
  return lines;
}

export function sizeOf(line: AuditLine): number {
  if (line instanceof SealedLine) return line.end - line.begin;
  return line.bytes?.byteLength ?? line.text.length;
}

/** Lines as a sink gets them: with their bytes in as few pieces as they lie in. */
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

import { genesis, parseLine, type ChainedLine, type ChainEnd } from './chain.js';
import type { Checkpoint } from './checkpoint.js';
import { removalIn } from './own-event.js';
import { trustedCheckpoints } from './trusted-checkpoints.js';

export interface VerifyInput {
  /** Lines of one chain in file order. */
  readonly lines: AsyncIterable<string> | Iterable<string>;
  /** Lines of checkpoints, possibly of other chains as well. */
  readonly checkpoints: readonly string[];
  /** PEM of the trusted public keys. */
  readonly keys: readonly string[];
}

/** A line that differs from what was written. */
export interface BadLine {
  readonly sequence: number;
  readonly message: string;
}

/** The result of verifying one chain. */
export interface Verification {
  readonly chain: string | undefined;
  /** The number of valid lines, and the numbers of the first and the last of them. */
  readonly lines: number;
  readonly first: number | undefined;
  readonly last: number | undefined;
  /** Number of the last line that a checkpoint covers. */
  readonly vouchedTo: number;
  /** The first invalid line; absent when all are valid. */
  readonly bad?: BadLine;
  /** Further remarks for the reader. */
  readonly notes: readonly string[];
}

/**
 * Verifies every line against its hash, its number and its predecessor, and the chain against its signed checkpoints. Stops at the first
 * invalid line, because the lines after it prove nothing.
 */
export async function verifyChain(chain: string, { lines, checkpoints, keys }: VerifyInput): Promise<Verification> {
  const trusted = trustedCheckpoints(checkpoints, keys);
  const verifier = new Verifier(
    chain,
    trusted.checkpoints.filter((checkpoint) => checkpoint.chain === chain),
  );
  for await (const text of lines) if (verifier.take(text) === 'enough') break;
  return verifier.conclude(trusted.notes);
}

/** Verifies the lines of one chain in order, in time linear in the number of lines plus checkpoints. */
export class Verifier {
  readonly #chain: string;
  /** In line order; several may cover one line. */
  readonly #checkpoints: readonly Checkpoint[];
  readonly #bySequence: ReadonlyMap<number, readonly Checkpoint[]>;
  #end: ChainEnd = genesis;
  #first: number | undefined;
  #lines = 0;
  #vouchedTo = 0;
  #removedBefore = 1;
  #bad: BadLine | undefined;
  /** Number of a missing line, which may only have been moved. */
  #missing: number | undefined;

  constructor(chain: string, checkpoints: readonly Checkpoint[]) {
    this.#chain = chain;
    this.#checkpoints = checkpoints;
    this.#bySequence = Map.groupBy(checkpoints, (checkpoint) => checkpoint.sequence);
  }

  take(text: string): 'more' | 'enough' {
    const line = parseLine(text);
    if (this.#bad !== undefined) return this.#lookFor(line);
    this.#bad = this.#fault(line);
    if (line === undefined || this.#bad !== undefined) return this.#missing === undefined ? 'enough' : 'more';
    this.#first ??= line.sequence;
    this.#end = { sequence: line.sequence, hash: line.hash };
    this.#lines += 1;
    this.#removedBefore = Math.max(this.#removedBefore, removalIn(line.event) ?? 1);
    this.#bad = this.#againstCheckpoint(line);
    return this.#bad === undefined ? 'more' : 'enough';
  }

  conclude(notes: readonly string[]): Verification {
    const bad = this.#beginning() ?? this.#bad ?? this.#ending();
    const { sequence: last } = this.#end;
    const hasLines = this.#first !== undefined;
    const further: string[] = [];
    if (bad === undefined && (this.#first ?? 1) > 1)
      further.push(`lines before ${this.#first} were removed for their age, as the log itself says`);
    if (bad === undefined && last > 0 && this.#vouchedTo === 0) {
      further.push(
        'NO checkpoint vouches for any of these lines: anyone who can write them could have replaced them all. That is so for moments after ' +
          'the first start; later it means that the checkpoints were lost or taken away, or were signed with a key that is not trusted here. Look for copies of them, ' +
          'or verify with --platform; --require-checkpoints makes this a failure',
      );
    } else if (bad === undefined && last > this.#vouchedTo) {
      further.push(
        `no checkpoint vouches for lines ${this.#vouchedTo + 1} to ${last} yet: if later ones had been cut off, that could not be detected; ` +
          'the platform signs one a moment after it has written lines (audit.checkpoints) and when it stops, so verify again then',
      );
    }
    return {
      chain: this.#chain,
      lines: this.#lines,
      first: this.#first,
      last: hasLines ? last : undefined,
      vouchedTo: this.#vouchedTo,
      ...(bad !== undefined && { bad }),
      notes: [...notes, ...further],
    };
  }

  #fault(line: ChainedLine | undefined): BadLine | undefined {
    const isFirst = this.#first === undefined;
    const expected = isFirst ? (line?.sequence ?? 1) : this.#end.sequence + 1;
    if (line === undefined) return { sequence: expected, message: `line ${expected} is not a line of the log: it was edited or inserted` };
    const { chain, sequence, isIntact } = line;
    if (!isIntact) return { sequence: expected, message: `line ${expected} was edited: its hash is another one` };
    if (chain !== this.#chain) return { sequence: expected, message: `line ${expected} is one of chain ${chain}: it was inserted` };
    if (sequence < expected) return { sequence, message: `line ${sequence} comes again: a line was inserted or moved` };
    if (sequence > expected) return this.#gap(expected, sequence - 1);
    if (line.previous === this.#end.hash || (isFirst && sequence > 1)) return undefined;
    const before = Math.max(1, sequence - 1);
    return { sequence: before, message: `line ${before} is not the one that was written: the next one follows another` };
  }

  #gap(from: number, to: number): BadLine {
    this.#missing = from;
    return { sequence: from, message: from === to ? `line ${from} was deleted` : `lines ${from} to ${to} were deleted` };
  }

  /** A missing line that occurs later was not deleted but moved. */
  #lookFor(line: ChainedLine | undefined): 'more' | 'enough' {
    if (line?.sequence !== this.#missing || this.#bad === undefined) return 'more';
    this.#bad = {
      sequence: this.#bad.sequence,
      message: `line ${this.#bad.sequence} is not in its place: lines were put into another order`,
    };
    return 'enough';
  }

  #againstCheckpoint({ sequence, hash }: ChainedLine): BadLine | undefined {
    const own = this.#bySequence.get(sequence) ?? [];
    const other = own.find((checkpoint) => checkpoint.hash !== hash);
    if (other === undefined) {
      if (own.length > 0) this.#vouchedTo = sequence;
      return undefined;
    }
    const from = Math.max(this.#vouchedTo + 1, this.#first ?? 1);
    const which = from === sequence ? `line ${from} is` : `lines ${from} to ${sequence} are`;
    return { sequence: from, message: `${which} not what the checkpoint of ${other.at} vouches for: rewritten` };
  }

  /** The oldest lines may be missing only as far as the log itself records their removal. */
  #beginning(): BadLine | undefined {
    const first = this.#first ?? 1;
    if (first <= this.#removedBefore) return undefined;
    const from = this.#removedBefore;
    return { sequence: from, message: `lines ${from} to ${first - 1} were deleted: no line says that they were removed for their age` };
  }

  #ending(): BadLine | undefined {
    const cut = this.#checkpoints.findLast(({ sequence }) => sequence > this.#end.sequence);
    if (cut === undefined) return undefined;
    const from = this.#end.sequence + 1;
    return { sequence: from, message: `lines ${from} to ${cut.sequence} were cut off: the checkpoint of ${cut.at} vouches for them` };
  }
}

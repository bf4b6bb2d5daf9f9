import type { Context } from '../context.js';

/** One line of the audit log: every line names the hash of the one before, so that no line can be changed alone. */
export interface AuditLine {
  /** Names the replica whose chain it is; letters, digits and hyphens. */
  readonly chain: string;
  /** Counts from 1 without gaps, also across restarts and files. */
  readonly sequence: number;
  /** JSON on one line, without the line's end. */
  readonly text: string;
  /** The text in UTF-8, where it is at hand: a sink that writes bytes need not encode it again. Kept by the platform; not to be changed. */
  readonly bytes?: Uint8Array;
}

/** Lines in a row, as a sink is given them. */
export interface AuditLines extends ReadonlyArray<AuditLine> {
  /**
   * All of them in UTF-8, each with a line feed behind it, in as few pieces as they lie in memory: for sinks that write bytes. Absent where
   * the lines do not lie there. Kept by the platform; not to be changed.
   */
  readonly pieces?: readonly Uint8Array[];
}

const head = /^\{"chain":"([A-Za-z0-9-]{1,63})","sequence":([1-9][0-9]{0,15}),/;

/** Reads chain and number off the text of a line; undefined when it has not the form of one. What it says may have been tampered with. */
export function auditLineOf(text: string): AuditLine | undefined {
  const found = head.exec(text);
  return found === null ? undefined : { chain: found[1] ?? '', sequence: Number(found[2]), text };
}

/** What became of lines that were written. */
export interface AuditWritten {
  /**
   * Lines before this sequence number are too old or too many. The platform records that in the log, and calls `remove` once the record
   * is kept itself: whoever verifies can tell it from lines that somebody took away.
   */
  readonly removesBefore?: number;
}

/** The end of a chain as a sink has kept it. */
export interface AuditEnd {
  readonly line?: AuditLine;
  /** Bytes of a last line that a crash had cut off, and that have been taken away. 0 when there was none. */
  readonly tornBytes: number;
}

/**
 * Keeps the audit log. Lines come in order, at most 1,000 and 1 MiB a call (one line may be larger). The platform waits for one call of `write`
 * before it makes the next, but never longer than 5 s: then it aborts the signal of the context, takes the call for failed, and calls again with the same lines
 * (and later ones), whether or not the first call has settled. A sink that cannot stop a write therefore lets the next one wait for it.
 *
 * Failures that the plugin cannot help, such as a full disk, are thrown with blame `upstream`; the platform tries again with the same
 * lines and does with requests meanwhile what the `audit` section of the configuration says.
 */
export interface AuditSink {
  /** Resolves when the lines will survive a crash. Lines that an earlier call has kept, or is still keeping, are not kept twice. */
  write(lines: AuditLines, context: Context): Promise<AuditWritten>;
  /** The last line of a chain. A sink that cannot tell leaves it out. Called before the first write. */
  end?(chain: string, context: Context): Promise<AuditEnd>;
  /** Names of the chains that can be read back, those of other replicas too when the sink sees them. */
  chains?(context: Context): Promise<readonly string[]>;
  /**
   * Whether lines of a chain that no process writes any more are too old or too many. The platform goes on with such a chain for a moment: `write`
   * can name them, and their removal is recorded where they were. Asked once an hour, by one process.
   */
  hasExpired?(chain: string, context: Context): Promise<boolean>;
  /** Removes lines before a sequence number that `write` has named; some may stay. */
  remove?(chain: string, before: number, context: Context): Promise<void>;
  /**
   * Lines of a chain before a sequence number, newest first, at most `max` and 1 MiB together (one line may be larger); none: there are
   * no older ones. None is left out between the first and the last: a page ends where a line does not fit. A sink that cannot read back
   * leaves it out.
   */
  read?(chain: string, before: number, max: number, context: Context): Promise<readonly AuditLine[]>;
}

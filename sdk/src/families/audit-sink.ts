import type { Context } from '../context.js';

/** One line of the audit log: every line names the hash of the one before, so that no line can be changed alone. */
export interface AuditLine {
  /** Names the replica whose chain it is; letters, digits and hyphens. */
  readonly chain: string;
  /** Counts from 1 without gaps, also across restarts and files. */
  readonly sequence: number;
  /** JSON on one line, without the line's end. */
  readonly text: string;
}

/** What became of lines that were written. */
export interface AuditWritten {
  /**
   * Announces that lines before this sequence number are about to be removed because they are too old or too many. The platform records
   * that; remove them in a later call of `write`, when the record is kept itself.
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
 * Keeps the audit log. Lines come in order, at most 1,000 and 1 MiB a call (one line may be larger), one call at a time; 5 s a call.
 *
 * Failures that the plugin cannot help, such as a full disk, are thrown with blame `upstream`; the platform tries again with the same
 * lines and does with requests meanwhile what the `audit` section of the configuration says.
 */
export interface AuditSink {
  /** Resolves when the lines will survive a crash. Lines that an earlier call has kept already are not kept twice. */
  write(lines: readonly AuditLine[], context: Context): Promise<AuditWritten>;
  /** The last line of a chain. A sink that cannot tell leaves it out. Called before the first write. */
  end?(chain: string, context: Context): Promise<AuditEnd>;
  /**
   * Lines of a chain before a sequence number, newest first, at most `max` and 1 MiB together; none: there are no older ones. A sink
   * that cannot read back leaves it out.
   */
  read?(chain: string, before: number, max: number, context: Context): Promise<readonly AuditLine[]>;
}

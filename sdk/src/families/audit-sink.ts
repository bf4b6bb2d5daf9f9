import type { Context } from '../context.js';

/** One line of the audit log. Every line contains the hash of the one before, so that no line can be changed alone. */
export interface AuditLine {
  /** Name of the replica that writes the chain; letters, digits and hyphens. */
  readonly chain: string;
  /** Counts from 1 without gaps, also across restarts and files. */
  readonly sequence: number;
  /** JSON on one line, without the line terminator. */
  readonly text: string;
  /** The text in UTF-8, if available, so that a sink need not encode it again. Shared with the platform: do not modify it. */
  readonly bytes?: Uint8Array;
}

/** Consecutive lines, as a sink gets them. */
export interface AuditLines extends ReadonlyArray<AuditLine> {
  /**
   * All lines in UTF-8, each followed by a line feed, in as few pieces as memory holds them: for sinks that write bytes. Absent where the
   * lines are not available in this form. Shared with the platform: do not modify them.
   */
  readonly pieces?: readonly Uint8Array[];
}

const head = /^\{"chain":"([A-Za-z0-9-]{1,63})","sequence":([1-9][0-9]{0,15}),/;

/** Parses chain and number from the text of a line; undefined if it is malformed. The content may have been tampered with. */
export function auditLineOf(text: string): AuditLine | undefined {
  const found = head.exec(text);
  return found === null ? undefined : { chain: found[1] ?? '', sequence: Number(found[2]), text };
}

/** The result of a write. */
export interface AuditWritten {
  /**
   * Lines before this sequence number are to be removed, since they are too old or too many. The platform records that in the log, and
   * calls `remove` once that record is stored: a verifier can distinguish it from lines that an attacker removed.
   */
  readonly removesBefore?: number;
}

/** The end of a chain as a sink has stored it. */
export interface AuditEnd {
  readonly line?: AuditLine;
  /** Bytes of an incomplete last line that a crash left and that the sink has removed. 0 when there was none. */
  readonly tornBytes: number;
}

/**
 * Stores the audit log. Lines arrive in order, at most 1,000 and 1 MiB per call (one line may be larger). The platform waits for one call
 * of `write` before it makes the next, but at most 5 s: then it aborts the signal of the context, treats the call as failed, and calls
 * again with the same lines (and later ones), whether or not the first call has settled. A sink that cannot stop a write must therefore
 * make the next one wait for it.
 *
 * Failures that are not the plugin's fault, such as a full disk, are thrown with blame `upstream`; the platform retries with the same
 * lines, and meanwhile treats requests as the `audit` section of the configuration says.
 */
export interface AuditSink {
  /** Resolves when the lines will survive a crash. Lines that an earlier call has stored, or is still storing, must not be stored twice. */
  write(lines: AuditLines, context: Context): Promise<AuditWritten>;
  /** Returns the last line of a chain. Called before the first write. Leave it out if the sink cannot read it back. */
  end?(chain: string, context: Context): Promise<AuditEnd>;
  /** Names of the chains that can be read back, including those of other replicas if the sink sees them. */
  chains?(context: Context): Promise<readonly string[]>;
  /**
   * Whether lines of a chain that no process writes any more are too old or too many. If so, the platform briefly continues the chain, so
   * that `write` can name them and their removal is recorded in the same chain. Called once an hour, by one process.
   */
  hasExpired?(chain: string, context: Context): Promise<boolean>;
  /** Removes lines before a sequence number that `write` has named; some may remain. */
  remove?(chain: string, before: number, context: Context): Promise<void>;
  /**
   * Reads lines of a chain before a sequence number, newest first, at most `max` and 1 MiB together (one line may be larger); an empty
   * list means that there are no older ones. There are no gaps: a page ends where a line does not fit. Leave it out if the sink cannot
   * read lines back.
   */
  read?(chain: string, before: number, max: number, context: Context): Promise<readonly AuditLine[]>;
}

import type { Position } from '../problem.js';

/** The configuration in force. */
export interface LoadedConfiguration {
  /** Absolute path; nothing for an in-memory kernel. */
  readonly file: string | undefined;
  /** A section of the composition root, with defaults filled in. */
  section(name: string): unknown;
  /** Which file set what, for `tappaas config show --origin`. */
  values(): readonly { readonly path: string; readonly value: unknown; readonly origin: Position }[];
}

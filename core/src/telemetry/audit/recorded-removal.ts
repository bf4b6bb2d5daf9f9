import type { Logger } from '@tappaas/sdk';

export interface RemovingSink {
  readonly name: string;
  readonly remove?: (chain: string, before: number) => Promise<void>;
}

/** Lets a sink remove old lines only after the log has recorded the removal, so that verification detects any other removal. */
export class RecordedRemoval {
  readonly #sink: RemovingSink;
  readonly #chain: string;
  readonly #log: Logger;
  #pending: { readonly before: number; readonly recordedAs: number } | undefined;

  constructor(sink: RemovingSink, { chain, log }: { readonly chain: string; readonly log: Logger }) {
    this.#sink = sink;
    this.#chain = chain;
    this.#log = log;
  }

  ask(before: number, record: (facts: Readonly<Record<string, string>>) => number): void {
    if (this.#sink.remove === undefined || this.#pending !== undefined) return;
    const recordedAs = record({ 'audit-sink': this.#sink.name, 'audit-removes-before': String(before) });
    this.#pending = { before, recordedAs };
  }

  /** Reports that lines up to `sequence` are kept; starts the removal once its record is among them. */
  stored(sequence: number): void {
    const pending = this.#pending;
    if (pending === undefined || sequence < pending.recordedAs) return;
    this.#pending = undefined;
    this.#sink.remove?.(this.#chain, pending.before).catch((error: unknown) => {
      this.#log.warn('an audit sink did not remove old lines; it will be asked again', { sink: this.#sink.name, error });
    });
  }
}

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
  #asked: { readonly before: number; readonly recordedAs: number } | undefined;

  constructor(sink: RemovingSink, { chain, log }: { readonly chain: string; readonly log: Logger }) {
    this.#sink = sink;
    this.#chain = chain;
    this.#log = log;
  }

  ask(before: number, record: (facts: Readonly<Record<string, string>>) => number): void {
    if (this.#sink.remove === undefined || this.#asked !== undefined) return;
    const recordedAs = record({ 'audit-sink': this.#sink.name, 'audit-removes-before': String(before) });
    this.#asked = { before, recordedAs };
  }

  /** Reports that lines up to `sequence` are kept; starts the removal once its record is among them. */
  kept(sequence: number): void {
    const asked = this.#asked;
    if (asked === undefined || sequence < asked.recordedAs) return;
    this.#asked = undefined;
    this.#sink.remove?.(this.#chain, asked.before).catch((error: unknown) => {
      this.#log.warn('an audit sink did not remove old lines; it will be asked again', { sink: this.#sink.name, error });
    });
  }
}

import type { Writable } from 'node:stream';
import type { AuditLine, AuditSink, AuditWritten } from '@tappaas/sdk';
import { errors } from './errors.js';

/** Writes lines to a stream; a line counts as stored once the stream has passed it on. */
export class LineOutput implements AuditSink {
  readonly #stream: Writable;
  readonly #given = new Map<string, number>();
  #passedOn: Promise<void> = Promise.resolve();

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Writes new lines; lines that still wait in the stream from an earlier call are awaited and not written again. */
  async write(lines: readonly AuditLine[]): Promise<AuditWritten> {
    const fresh = lines.filter(({ chain, sequence }) => sequence > (this.#given.get(chain) ?? 0));
    if (fresh.length > 0) this.#passedOn = this.#pass(`${fresh.map(({ text }) => text).join('\n')}\n`);
    for (const { chain, sequence } of fresh) this.#given.set(chain, sequence);
    try {
      await this.#passedOn;
      return {};
    } catch (error) {
      this.#given.clear();
      throw errors.TELEMETRY_AUDIT_STDOUT_FAILED({ message: 'the standard output took no line', cause: error });
    }
  }

  #pass(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(text, (error) => (error ? reject(error) : resolve()));
    });
  }
}

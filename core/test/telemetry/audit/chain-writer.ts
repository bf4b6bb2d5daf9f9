import type { AuditLine } from '@tappaas/sdk';
import type { ChainEnd } from '../../../dist/telemetry/audit/chain.js';
import { EventBatch } from '../../../dist/telemetry/audit/event-batch.js';
import { sealed } from '../../../dist/telemetry/audit/seal.js';
import { linesOf } from '../../../dist/telemetry/audit/sealed-line.js';

/** Writes a chain line by line. */
export class ChainWriter {
  readonly #chain: string;
  #end: ChainEnd;

  constructor(chain: string, end: ChainEnd) {
    this.#chain = chain;
    this.#end = end;
  }

  get end(): ChainEnd {
    return this.#end;
  }

  append(event: string): AuditLine {
    const batch = new EventBatch();
    batch.add(event);
    const block = sealed(this.#chain, this.#end, batch);
    const [line] = linesOf(this.#chain, this.#end, block);
    if (line === undefined) throw new Error('no line was made');
    this.#end = { sequence: line.sequence, hash: block.hash };
    return line;
  }
}

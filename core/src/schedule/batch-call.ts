import type { PodClass } from '@tappaas/sdk';
import type { ColumnSource, ColumnTable } from './columns.js';
import { scheduleErrors } from './errors.js';
import type { ReportProblem } from './problems.js';
import type { BatchTap } from './taps.js';

const deadlineMs = 20;
/** Arrays for calls with at most this many candidates, nearly all of them, are reused; of larger ones only the last. */
const cachedCountMax = 128;

interface Frame {
  readonly out: Int32Array;
  readonly columns: Readonly<Record<string, Float64Array>>;
  readonly inOrder: readonly Float64Array[];
}

/** One batch tap with its own copies of the columns it reads, so that a tap that writes to its inputs can harm only itself. */
export class BatchCall<T extends BatchTap> {
  readonly tap: T;
  readonly dynamic: boolean;
  readonly sources: readonly ColumnSource[];
  readonly #names: readonly string[];
  readonly #kept: Frame[] = [];
  #large: Frame | undefined;
  readonly #nowMs: () => number;
  readonly #report: ReportProblem;

  /** @throws TAP_SCHEDULE_COLUMN_UNKNOWN */
  constructor(tap: T, columns: ColumnTable, nowMs: () => number, report: ReportProblem) {
    this.tap = tap;
    this.#names = Object.keys(tap.reads);
    this.sources = Object.values(tap.reads).map((column) => columns.source(column, tap.plugin));
    this.dynamic = this.sources.some(({ dynamic }) => dynamic);
    this.#nowMs = nowMs;
    this.#report = report;
  }

  /** Calls the tap for the first `count` of `slots`; the result is valid until the next call. Throws what the tap throws. */
  ask(pod: PodClass, slots: Int32Array, count: number): Int32Array {
    const { out, columns, inOrder } = this.#frame(count);
    for (let c = 0; c < inOrder.length; c++) gather(this.sources[c]?.values(), slots, count, inOrder[c]);
    out.fill(0);
    const startMs = this.#nowMs();
    this.tap.run({ pod, count, out, columns });
    const tookMs = this.#nowMs() - startMs;
    if (tookMs > deadlineMs) this.#slow(tookMs, count);
    return out;
  }

  #frame(count: number): Frame {
    if (count > cachedCountMax) return this.#large?.out.length === count ? this.#large : (this.#large = this.#makeFrame(count));
    return (this.#kept[count] ??= this.#makeFrame(count));
  }

  #makeFrame(count: number): Frame {
    const inOrder = this.#names.map(() => new Float64Array(count));
    const columns = Object.fromEntries(this.#names.map((name, i) => [name, inOrder[i] ?? new Float64Array(0)]));
    return { out: new Int32Array(count), columns: Object.freeze(columns), inOrder };
  }

  #slow(tookMs: number, count: number): void {
    const { plugin } = this.tap;
    const message = `plugin "${plugin}": a batch tap took ${tookMs} ms for ${count} candidates, expected at most ${deadlineMs} ms`;
    this.#report({ error: scheduleErrors.TAP_SCHEDULE_TAP_SLOW({ message }), plugin });
  }
}

function gather(values: Float64Array | undefined, slots: Int32Array, count: number, into: Float64Array | undefined): void {
  if (values === undefined || into === undefined) return;
  for (let i = 0; i < count; i++) into[i] = values[slots[i] ?? 0] ?? Number.NaN;
}

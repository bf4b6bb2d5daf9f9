import type { BatchCall } from './batch-call.js';
import { ClassFilters } from './class-filters.js';
import { ClassScores } from './class-scores.js';
import type { ColumnSource } from './columns.js';
import { footprintOf, type Footprint } from './footprint.js';
import type { NodeTable } from './node-table.js';
import type { SchedulingClass } from './pod-class.js';
import type { ReportProblem } from './problems.js';
import type { ScoreSource } from './score-source.js';
import type { Scratch } from './scratch.js';
import type { FilterTap } from './taps.js';

/** The pure taps of one hook generation, and the shared data that evaluate a class. */
export interface ViewParts {
  readonly table: NodeTable;
  readonly filters: readonly BatchCall<FilterTap>[];
  readonly scores: readonly ScoreSource[];
  readonly columns: readonly ColumnSource[];
  readonly scratch: Scratch;
  readonly report: ReportProblem;
}

/** The evaluation of one class over all nodes; `catchUp` evaluates only the nodes that changed since the last call. */
export class ClassView {
  readonly cls: SchedulingClass;
  readonly footprint: Footprint;
  readonly filters: ClassFilters;
  readonly scores: ClassScores;
  readonly #table: NodeTable;
  readonly #scratch: Scratch;
  #seen = 0;

  constructor(cls: SchedulingClass, parts: ViewParts) {
    const { table, filters, columns, scores, scratch, report } = parts;
    this.cls = cls;
    this.#table = table;
    this.#scratch = scratch;
    this.footprint = footprintOf(table, cls);
    this.filters = new ClassFilters({ table, cls, footprint: this.footprint, taps: filters, columns });
    this.scores = new ClassScores(table, cls, scores, report);
  }

  /** @throws TAP_SCHEDULE_FILTER_FAILED, after which the next call starts over from the same nodes. */
  catchUp(): void {
    const count = this.#table.changedSince(this.#seen, this.#scratch.changed);
    if (count === 0) return;
    this.filters.update(count, this.#seen, this.#scratch);
    this.scores.update(count, this.#seen, this.#scratch, this.filters.verdicts);
    this.#seen = this.#table.generation;
  }
}

/** Approximate size of a view in bytes. */
export function viewBytes(capacity: number, scoreColumns: number): number {
  const verdicts = 4;
  const totals = 4;
  const tournament = 8;
  const flags = 1;
  return capacity * (verdicts + totals + tournament + flags + 4 * scoreColumns);
}

import { scheduleErrors } from './errors.js';
import type { NodeTable } from './node-table.js';
import type { SchedulingClass } from './pod-class.js';
import type { ReportProblem } from './problems.js';
import { feasible } from './reason-table.js';
import { pointsMax, ScoreColumn } from './score-column.js';
import type { ScoreSource } from './score-source.js';
import type { Scratch } from './scratch.js';
import { Tournament } from './tournament.js';

/** The scores of every feasible node for one class, and the best node. */
export class ClassScores {
  readonly columns: readonly ScoreColumn[];
  /** Weighted points by slot; negative where the node is not feasible. */
  readonly #totals: Int32Array;
  /** Whether the sources that depend on the node alone have been evaluated. */
  readonly #nodeScored: Uint8Array;
  readonly #tournament: Tournament;
  readonly #table: NodeTable;
  readonly #cls: SchedulingClass;
  readonly #report: ReportProblem;
  #failedColumns = 0;

  constructor(table: NodeTable, cls: SchedulingClass, sources: readonly ScoreSource[], report: ReportProblem) {
    this.#table = table;
    this.#cls = cls;
    this.#report = report;
    this.columns = sources.map((source) => new ScoreColumn(source, table.capacity));
    this.#totals = new Int32Array(table.capacity).fill(-1);
    this.#nodeScored = new Uint8Array(table.capacity);
    this.#tournament = new Tournament(table.capacity);
  }

  /** The best feasible slot, or -1. */
  get best(): number {
    return this.#tournament.best;
  }
  get runnerUp(): number {
    return this.#tournament.runnerUp(this.#totals, this.#table.ranks);
  }
  get failed(): boolean {
    return this.columns.some(({ failed }) => failed);
  }
  total(slot: number): number {
    return this.#totals[slot] ?? -1;
  }

  /** Updates the first `count` slots of `scratch.changed` according to `verdicts`. */
  update(count: number, since: number, scratch: Scratch, verdicts: Int32Array): void {
    const { changed, first, second } = scratch;
    let all = 0;
    let fresh = 0;
    for (let i = 0; i < count; i++) {
      const slot = changed[i] ?? 0;
      if (this.#table.nodeChangedAt(slot) > since) this.#nodeScored[slot] = 0;
      if (verdicts[slot] !== feasible) this.#leave(slot);
      else {
        first[all++] = slot;
        if (this.#nodeScored[slot] === 0) second[fresh++] = slot;
        else if (this.total(slot) < 0) for (const column of this.columns) if (!column.source.dynamic) column.enter(slot);
      }
    }
    for (const column of this.columns) this.#ask(column, column.source.dynamic ? first : second, column.source.dynamic ? all : fresh);
    for (let i = 0; i < fresh; i++) this.#nodeScored[second[i] ?? 0] = 1;
    this.#total(changed, count, verdicts);
  }

  #leave(slot: number): void {
    if (this.total(slot) < 0) return;
    for (const column of this.columns) column.leave(slot);
  }

  #ask(column: ScoreColumn, slots: Int32Array, count: number): void {
    if (count === 0 || column.failed) return;
    const { source } = column;
    try {
      const out = source.ask(this.#cls.pod, slots, count);
      for (let i = 0; i < count; i++) {
        const slot = slots[i] ?? 0;
        const value = out[i] ?? 0;
        if (source.scale === 'points' && (value < 0 || value > pointsMax)) this.#outOfRange(source, value);
        column.set(slot, value, this.total(slot) >= 0);
      }
    } catch (cause) {
      column.fail();
      const error = scheduleErrors.TAP_SCHEDULE_SCORE_FAILED({
        message: `score of plugin "${source.plugin}" failed and counts as 0`,
        cause,
      });
      this.#report({ error, plugin: source.plugin });
    }
  }

  #total(changed: Int32Array, count: number, verdicts: Int32Array): void {
    const failedBefore = this.#failedColumns;
    this.#failedColumns = this.columns.filter(({ failed }) => failed).length;
    let everything = this.#failedColumns !== failedBefore;
    for (const column of this.columns) everything = column.settle(verdicts) || everything;
    const ranks = this.#table.ranks;
    if (everything) for (let slot = 0; slot < verdicts.length; slot++) this.#sum(slot, verdicts);
    else for (let i = 0; i < count; i++) this.#sum(changed[i] ?? 0, verdicts);
    if (everything || count > verdicts.length >> 3) this.#tournament.rebuild(this.#totals, ranks);
    else for (let i = 0; i < count; i++) this.#tournament.update(changed[i] ?? 0, this.#totals, ranks);
  }

  #sum(slot: number, verdicts: Int32Array): void {
    let total = -1;
    if (verdicts[slot] === feasible) {
      total = 0;
      for (const column of this.columns) total += column.source.weight * column.points(slot);
    }
    this.#totals[slot] = total;
  }

  #outOfRange(source: ScoreSource, value: number): void {
    const message = `score of plugin "${source.plugin}": expected 0 to ${pointsMax} points, found ${value}, which counts as 0`;
    this.#report({ error: scheduleErrors.TAP_SCHEDULE_SCORE_RANGE({ message }), plugin: source.plugin });
  }
}

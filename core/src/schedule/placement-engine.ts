import type { RetryOn } from '@tappaas/sdk';
import { BatchCall } from './batch-call.js';
import type { ClassView } from './class-view.js';
import { ColumnTable } from './columns.js';
import type { Refusal, ScoredNode } from './decision.js';
import { EveryPodStage, type Answers } from './every-pod.js';
import { scheduleErrors } from './errors.js';
import type { Footprint } from './footprint.js';
import type { NodeTable } from './node-table.js';
import type { SchedulingClass } from './pod-class.js';
import type { ReportProblem } from './problems.js';
import { absent, feasible } from './reason-table.js';
import { makeScratch } from './scratch.js';
import type { BatchTap, SchedulingTaps, ScoreTap } from './taps.js';
import { ViewCache } from './view-cache.js';

const noEvents: readonly RetryOn[] = [];
const weightMax = 10_000;
const weightSumMax = 20_000_000;

/** The node where a pod of a class would be placed now. */
export interface Place {
  /** -1 if no node is feasible. */
  readonly slot: number;
  /** The resources that such a pod takes from a node. */
  readonly footprint: Footprint;
  readonly feasibleNodes: number;
  readonly refused: readonly Refusal[];
  readonly retryOn: readonly RetryOn[];
  readonly chosen: ScoredNode | undefined;
  readonly next: ScoredNode | undefined;
}

/** The evaluation of every node for a pod: why it was refused, or its score. */
export interface Explanation {
  readonly rejected: Readonly<Record<string, { readonly plugin: string; readonly message: string }>>;
  /** Best first. */
  readonly scored: readonly ScoredNode[];
}

export interface PlacementOptions {
  readonly viewBytesMax: number;
  readonly nowMs: () => number;
  readonly report: ReportProblem;
}

/** Chooses a node for a pod of a class, under one hook generation. Synchronous and without side effects: the caller charges the node. */
export class PlacementEngine {
  readonly columns: ColumnTable;
  readonly #table: NodeTable;
  readonly #options: PlacementOptions;
  readonly #filters;
  readonly #scores;
  readonly #everyPod: EveryPodStage | undefined;
  #views: ViewCache;
  #capacity = 0;
  #resources = 0;

  /** @throws TAP_SCHEDULE_COLUMN_UNKNOWN, TAP_SCHEDULE_WEIGHT_INVALID */
  constructor(table: NodeTable, taps: SchedulingTaps, options: PlacementOptions) {
    const { nowMs, report } = options;
    checkWeights(taps.score);
    this.#table = table;
    this.#options = options;
    this.columns = new ColumnTable(table, taps.columns, report);
    this.#filters = taps.filter.map((tap) => new BatchCall(tap, this.columns, nowMs, report));
    this.#scores = taps.score.map((tap) => new BatchCall(tap, this.columns, nowMs, report));
    const filters = this.#filters.filter(({ tap }) => tap.everyPod === true);
    const scores = this.#scores.filter(({ tap }) => tap.everyPod === true);
    if (filters.length + scores.length > 0) this.#everyPod = new EveryPodStage(table, filters, scores, report);
    this.#views = this.#makeViews();
  }

  /** Whether some taps run for every pod, so that a result for one pod of a class does not apply to the next. */
  get checksEveryPod(): boolean {
    return this.#everyPod !== undefined;
  }

  /** @throws TAP_SCHEDULE_FILTER_FAILED */
  place(cls: SchedulingClass): Place {
    const view = this.#caughtUp(cls);
    const answers = this.#everyPod?.ask(view);
    const { scores, filters } = view;
    const slot = answers ? (answers.order[0]?.slot ?? -1) : scores.best;
    const nextSlot = slot < 0 ? -1 : answers ? (answers.order[1]?.slot ?? -1) : scores.runnerUp;
    const refused = filters.refused().map(({ reason, nodes }) => ({ plugin: reason.plugin, message: reason.message, nodes }));
    return {
      slot,
      footprint: view.footprint,
      feasibleNodes: answers ? answers.order.length : filters.feasibleNodes,
      refused: answers ? [...refused, ...answers.refused] : refused,
      retryOn: slot < 0 ? retryEvents(view, answers) : noEvents,
      chosen: slot < 0 ? undefined : this.#scored(view, slot, answers),
      next: nextSlot < 0 ? undefined : this.#scored(view, nextSlot, answers),
    };
  }

  /** Returns undefined when the pure taps accept some node, else the events that may change that. @throws TAP_SCHEDULE_FILTER_FAILED */
  unschedulableUntil(cls: SchedulingClass): readonly RetryOn[] | undefined {
    const view = this.#caughtUp(cls);
    return view.filters.feasibleNodes > 0 ? undefined : retryEvents(view, undefined);
  }

  /** Whether this node is feasible. @throws TAP_SCHEDULE_FILTER_FAILED */
  accepts(cls: SchedulingClass, slot: number): boolean {
    const view = this.#caughtUp(cls);
    if (view.filters.verdicts[slot] !== feasible) return false;
    return this.#everyPod?.ask(view).order.some((node) => node.slot === slot) ?? true;
  }

  /** Evaluates every node; the cost is proportional to their number. @throws TAP_SCHEDULE_FILTER_FAILED */
  explain(cls: SchedulingClass): Explanation {
    const view = this.#caughtUp(cls);
    const answers = this.#everyPod?.ask(view);
    const rejected: Record<string, { plugin: string; message: string }> = {};
    const scored: ScoredNode[] = [];
    for (const slot of this.#table.slotsByName) {
      if (view.filters.verdicts[slot] === absent) continue;
      const reason = view.filters.reasonOf(slot) ?? answers?.reasons.get(slot);
      if (reason === undefined) scored.push(this.#scored(view, slot, answers));
      else rejected[this.#table.nameOf(slot)] = { plugin: reason.plugin, message: reason.message };
    }
    // Sorting is stable, so nodes with equal scores stay in order of name.
    return { rejected, scored: scored.sort((a, b) => b.total - a.total) };
  }

  #scored(view: ClassView, slot: number, answers: Answers | undefined): ScoredNode {
    const node = this.#table.nameOf(slot);
    const known = answers?.order.find((candidate) => candidate.slot === slot);
    if (known) return { node, total: known.total, parts: known.parts };
    const parts = view.scores.columns.map((column) => {
      const { plugin, weight } = column.source;
      return { plugin, points: column.points(slot), weight };
    });
    return { node, total: view.scores.total(slot), parts };
  }

  #caughtUp(cls: SchedulingClass): ClassView {
    if (this.#capacity !== this.#table.capacity || this.#resources !== this.#table.resources) this.#views = this.#makeViews();
    return this.#views.caughtUp(cls);
  }

  /** Recreates the views, whose size is that of the table and its resources, whenever either grows. */
  #makeViews(): ViewCache {
    this.#capacity = this.#table.capacity;
    this.#resources = this.#table.resources;
    const pure = ({ tap }: { readonly tap: BatchTap }) => tap.everyPod !== true;
    const calls = [...this.#filters, ...this.#scores];
    const parts = {
      table: this.#table,
      filters: this.#filters.filter(pure),
      scores: this.#scores.filter(pure).map(sourceOf),
      columns: [...new Set(calls.flatMap(({ sources }) => sources))],
      scratch: makeScratch(this.#table.capacity),
      report: this.#options.report,
    };
    return new ViewCache(parts, this.#options.viewBytesMax, this.#options.nowMs);
  }
}

/** Adapts a score tap as a source, with its weight and scale. */
function sourceOf(call: BatchCall<ScoreTap>) {
  const { plugin, weight, scale } = call.tap;
  const ask: BatchCall<ScoreTap>['ask'] = (pod, slots, count) => call.ask(pod, slots, count);
  return { plugin, weight, scale, dynamic: call.dynamic, ask };
}

function retryEvents(view: ClassView, answers: Answers | undefined): readonly RetryOn[] {
  const events = view.filters.refused().flatMap(({ reason }) => reason.retryOn);
  return [...new Set<RetryOn>(['node-added', ...events, ...(answers?.retryOn ?? [])])];
}

/** Scores are 32-bit integers, so the sum of the weights is limited; the built-in preferences need little of it. */
function checkWeights(taps: readonly ScoreTap[]): void {
  const wrong = taps.find(({ weight }) => !Number.isInteger(weight) || weight < 0 || weight > weightMax);
  const sum = taps.reduce((total, { weight }) => total + weight, 0);
  const message = wrong
    ? `weight of the score of plugin "${wrong.plugin}": expected a whole number from 0 to ${weightMax}, found ${wrong.weight}`
    : `weights of all scores: expected a sum of at most ${weightSumMax}, found ${sum}`;
  if (wrong || sum > weightSumMax) throw scheduleErrors.TAP_SCHEDULE_WEIGHT_INVALID({ message });
}

import type { RetryOn } from '@tappaas/sdk';
import type { BatchCall } from './batch-call.js';
import { runFilter } from './class-filters.js';
import type { ClassView } from './class-view.js';
import type { Refusal, ScorePart } from './decision.js';
import { scheduleErrors } from './errors.js';
import type { NodeTable } from './node-table.js';
import type { ReportProblem } from './problems.js';
import { feasible, type Reason } from './reason-table.js';
import { scaled } from './score-column.js';
import type { FilterTap, ScoreTap } from './taps.js';

interface Candidate {
  readonly slot: number;
  readonly total: number;
  readonly parts: readonly ScorePart[];
}

export interface Answers {
  /** Feasible nodes, best first. */
  readonly order: readonly Candidate[];
  readonly refused: readonly Refusal[];
  readonly reasons: ReadonlyMap<number, Reason>;
  readonly retryOn: readonly RetryOn[];
}

/**
 * Taps that are not pure: they are called with all remaining nodes for every pod, and their results are not cached.
 *
 * They may shrink the feasible set, so the pure scores are rescaled over the remaining nodes.
 */
export class EveryPodStage {
  readonly #table: NodeTable;
  readonly #filters: readonly BatchCall<FilterTap>[];
  readonly #scores: readonly BatchCall<ScoreTap>[];
  readonly #report: ReportProblem;

  constructor(table: NodeTable, filters: readonly BatchCall<FilterTap>[], scores: readonly BatchCall<ScoreTap>[], report: ReportProblem) {
    this.#table = table;
    this.#filters = filters;
    this.#scores = scores;
    this.#report = report;
  }

  /** @throws TAP_SCHEDULE_FILTER_FAILED */
  ask(view: ClassView): Answers {
    const reasons = new Map<number, Reason>();
    const slots = this.#filtered(view, reasons);
    const columns = [...this.#pure(view, slots), ...this.#asked(view, slots)];
    const order = [...slots].map((slot, i) => {
      const parts = columns.map(({ plugin, weight, points }) => ({ plugin, weight, points: points[i] ?? 0 }));
      return { slot, parts, total: parts.reduce((sum, { points, weight }) => sum + points * weight, 0) };
    });
    const ranks = this.#table.ranks;
    order.sort((a, b) => b.total - a.total || (ranks[a.slot] ?? 0) - (ranks[b.slot] ?? 0));
    return { order, refused: counted(reasons), reasons, retryOn: [...reasons.values()].flatMap(({ retryOn }) => retryOn) };
  }

  #filtered(view: ClassView, reasons: Map<number, Reason>): Int32Array {
    let slots = Int32Array.from(this.#table.slotsByName.filter((slot) => view.filters.verdicts[slot] === feasible));
    for (const call of this.#filters) {
      if (slots.length === 0) break;
      const out = runFilter(call, view.cls, slots, slots.length);
      const { plugin } = call.tap;
      slots = slots.filter((slot, i) => {
        const reason = call.tap.reasons[(out[i] ?? 0) - 1];
        if (reason) reasons.set(slot, { plugin, ...reason, fromNode: false });
        return reason === undefined;
      });
    }
    return slots;
  }

  #pure(view: ClassView, slots: Int32Array) {
    return view.scores.columns.map((column) => {
      const raw = Int32Array.from(slots, (slot) => column.raw(slot));
      return pointed(column.source, column.failed ? undefined : raw);
    });
  }

  #asked(view: ClassView, slots: Int32Array) {
    return this.#scores.map((call) => {
      if (slots.length === 0) return pointed(call.tap, undefined);
      try {
        return pointed(call.tap, call.ask(view.cls.pod, slots, slots.length));
      } catch (cause) {
        const { plugin } = call.tap;
        const error = scheduleErrors.TAP_SCHEDULE_SCORE_FAILED({ message: `score of plugin "${plugin}" failed and counts as 0`, cause });
        this.#report({ error, plugin });
        return pointed(call.tap, undefined);
      }
    });
  }
}

function pointed({ plugin, weight, scale }: Pick<ScoreTap, 'plugin' | 'weight' | 'scale'>, raw: Int32Array | undefined) {
  const min = raw?.reduce((a, b) => Math.min(a, b), Infinity) ?? 0;
  const max = raw?.reduce((a, b) => Math.max(a, b), -Infinity) ?? 0;
  return { plugin, weight, points: raw?.map((value) => scaled(scale, value, min, max)) ?? [] };
}

function counted(reasons: ReadonlyMap<number, Reason>): readonly Refusal[] {
  const refusals = new Map<string, { plugin: string; message: string; nodes: number }>();
  for (const { plugin, message } of reasons.values()) {
    const key = `${plugin}\n${message}`;
    const refusal = refusals.get(key) ?? { plugin, message, nodes: 0 };
    refusal.nodes++;
    refusals.set(key, refusal);
  }
  return [...refusals.values()];
}

import type { BatchCall } from './batch-call.js';
import { masksOf, type ClassMask } from './class-masks.js';
import type { ColumnSource } from './columns.js';
import { scheduleErrors } from './errors.js';
import type { Footprint } from './footprint.js';
import type { NodeTable } from './node-table.js';
import type { SchedulingClass } from './pod-class.js';
import { absent, feasible, ReasonTable, type Reason } from './reason-table.js';
import type { Scratch } from './scratch.js';
import type { FilterTap } from './taps.js';

const reasonsMax = 200;

/** The number of nodes that one reason refuses. */
export interface RefusedNodes {
  readonly reason: Reason;
  readonly nodes: number;
}

/**
 * The filter results for every node and one class, kept up to date as nodes change.
 *
 * Filters that depend on the node alone run first: a node that they refuse is not evaluated again when pods come and go. The last check is
 * the kernel's own for free resources, regardless of the taps.
 */
export class ClassFilters {
  readonly verdicts: Int32Array;
  readonly #counts: number[] = [0, 0];
  readonly #reasons = new ReasonTable(reasonsMax);
  readonly #table: NodeTable;
  readonly #cls: SchedulingClass;
  readonly #footprint: Footprint;
  readonly #masks: readonly ClassMask[];
  readonly #taps: readonly BatchCall<FilterTap>[];
  readonly #tapReasons: readonly (readonly Reason[])[];

  constructor(parts: {
    readonly table: NodeTable;
    readonly cls: SchedulingClass;
    readonly footprint: Footprint;
    readonly taps: readonly BatchCall<FilterTap>[];
    readonly columns: readonly ColumnSource[];
  }) {
    this.#table = parts.table;
    this.#cls = parts.cls;
    this.#footprint = parts.footprint;
    this.#masks = masksOf(parts.cls, parts.table, parts.columns);
    this.#taps = parts.taps;
    this.#tapReasons = parts.taps.map(({ tap, dynamic }) =>
      tap.reasons.map((reason) => ({ plugin: tap.plugin, ...reason, fromNode: !dynamic })),
    );
    this.verdicts = new Int32Array(parts.table.capacity);
  }

  get feasibleNodes(): number {
    return this.#counts[feasible] ?? 0;
  }

  /** Updates the first `count` slots of `scratch.changed`; those changed as nodes after `since` are evaluated completely. */
  update(count: number, since: number, scratch: Scratch): void {
    const { changed, first, second } = scratch;
    let wholly = 0;
    let partly = 0;
    for (let i = 0; i < count; i++) {
      const slot = changed[i] ?? 0;
      if (this.#table.facts(slot) === undefined) this.#set(slot, absent);
      else if (this.#table.nodeChangedAt(slot) > since) first[wholly++] = slot;
      else if (!this.#refusedByNode(slot)) second[partly++] = slot;
    }
    wholly = this.#run(false, first, wholly);
    for (let i = 0; i < wholly; i++) second[partly++] = first[i] ?? 0;
    partly = this.#run(true, second, partly);
    for (let i = 0; i < partly; i++) this.#fit(second[i] ?? 0);
  }

  reasonOf(slot: number): Reason | undefined {
    return this.#reasons.get(this.verdicts[slot] ?? 0);
  }

  refused(): readonly RefusedNodes[] {
    const refused: RefusedNodes[] = [];
    for (let code = feasible + 1; code < this.#counts.length; code++) {
      const nodes = this.#counts[code] ?? 0;
      const reason = nodes > 0 ? this.#reasons.get(code) : undefined;
      if (reason !== undefined) refused.push({ reason, nodes });
    }
    return refused;
  }

  #refusedByNode(slot: number): boolean {
    const verdict = this.verdicts[slot] ?? absent;
    return verdict > feasible && this.#reasons.get(verdict)?.fromNode === true;
  }

  /** Runs the masks and taps of one kind; moves the slots that pass to the front and returns their number. */
  #run(dynamic: boolean, slots: Int32Array, count: number): number {
    let left = count;
    for (const mask of this.#masks) if (mask.dynamic === dynamic) left = this.#runMask(mask, slots, left);
    for (let t = 0; t < this.#taps.length && left > 0; t++) {
      const call = this.#taps[t];
      if (call?.dynamic === dynamic) left = this.#runTap(call, this.#tapReasons[t] ?? [], slots, left);
    }
    return left;
  }

  #runMask(mask: ClassMask, slots: Int32Array, count: number): number {
    let left = 0;
    for (let i = 0; i < count; i++) {
      const slot = slots[i] ?? 0;
      const message = mask.reject(slot);
      if (message === undefined) slots[left++] = slot;
      else this.#set(slot, this.#reasons.code({ plugin: mask.name, message, retryOn: mask.retryOn, fromNode: !mask.dynamic }));
    }
    return left;
  }

  #runTap(call: BatchCall<FilterTap>, reasons: readonly Reason[], slots: Int32Array, count: number): number {
    const out = runFilter(call, this.#cls, slots, count);
    let left = 0;
    for (let i = 0; i < count; i++) {
      const slot = slots[i] ?? 0;
      const answer = out[i] ?? 0;
      const reason = answer === 0 ? undefined : reasons[answer - 1];
      if (reason === undefined) slots[left++] = slot;
      else this.#set(slot, this.#reasons.code(reason));
    }
    return left;
  }

  #fit(slot: number): void {
    const resource = this.#table.shortage(slot, this.#footprint);
    if (resource === undefined) this.#set(slot, feasible);
    else this.#set(slot, this.#reasons.code(shortageOf(resource)));
  }

  #set(slot: number, verdict: number): void {
    const before = this.verdicts[slot] ?? absent;
    if (before === verdict) return;
    this.#counts[before] = (this.#counts[before] ?? 0) - 1;
    this.#counts[verdict] = (this.#counts[verdict] ?? 0) + 1;
    this.verdicts[slot] = verdict;
  }
}

/** Calls a filter and checks its results. @throws TAP_SCHEDULE_FILTER_FAILED */
export function runFilter(call: BatchCall<FilterTap>, cls: SchedulingClass, slots: Int32Array, count: number): Int32Array {
  const { plugin, reasons } = call.tap;
  let out: Int32Array;
  try {
    out = call.ask(cls.pod, slots, count);
  } catch (cause) {
    throw scheduleErrors.TAP_SCHEDULE_FILTER_FAILED({ message: `filter of plugin "${plugin}" failed`, cause, data: { plugin } });
  }
  for (let i = 0; i < count; i++) {
    const answer = out[i] ?? 0;
    if (answer >= 0 && answer <= reasons.length) continue;
    const message = `filter of plugin "${plugin}": expected 0 to ${reasons.length} (its number of reasons), found ${answer}`;
    throw scheduleErrors.TAP_SCHEDULE_FILTER_FAILED({ message, data: { plugin } });
  }
  return out;
}

function shortageOf(resource: string): Reason {
  const retryOn = ['node-added', 'node-changed', 'pod-deleted'] as const;
  const message = resource === 'pods' ? 'the node has no room for another pod' : `too little ${resource} is free`;
  return { plugin: 'kernel.capacity', message, retryOn, fromNode: false };
}

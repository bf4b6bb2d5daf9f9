import type { NodeColumn } from '@tappaas/sdk';
import { scheduleErrors } from './errors.js';
import type { NodeTable } from './node-table.js';
import type { ReportProblem } from './problems.js';
import { grownFloats } from './resource-columns.js';
import type { PluginColumn } from './taps.js';

/** Where the values of a column are; the array may be another one after the table grew, so ask each time. */
export interface ColumnSource {
  readonly name: string;
  /** Changes with the pods of a node, not only with the node. */
  readonly dynamic: boolean;
  /** Set for plugin columns, where a missing value rejects the node. */
  readonly plugin: string | undefined;
  values(): Float64Array;
}

class ComputedColumn implements ColumnSource {
  readonly dynamic = false;
  readonly name: string;
  readonly plugin: string;
  readonly #column: PluginColumn;
  readonly #report: ReportProblem;
  #values: Float64Array = new Float64Array(0);

  constructor(column: PluginColumn, report: ReportProblem) {
    this.name = column.name;
    this.plugin = column.plugin;
    this.#column = column;
    this.#report = report;
  }

  values(): Float64Array {
    return this.#values;
  }

  /** Computes the value of one node; says whether it is another than before. */
  compute(table: NodeTable, slot: number): boolean {
    if (this.#values.length < table.capacity) this.#values = grownFloats(this.#values, table.capacity);
    const value = this.#of(table, slot);
    const changed = !Object.is(value, this.#values[slot]);
    this.#values[slot] = value;
    return changed;
  }

  #of(table: NodeTable, slot: number): number {
    const facts = table.facts(slot);
    if (facts === undefined) return Number.NaN;
    try {
      const value: unknown = this.#column.of(facts.node);
      if (typeof value === 'number') return value;
      this.#failed(`expected a number for node "${facts.name}", found ${typeof value}`);
    } catch (cause) {
      this.#failed(`failed for node "${facts.name}"`, cause);
    }
    return Number.NaN;
  }

  #failed(what: string, cause?: unknown): void {
    const error = scheduleErrors.TAP_SCHEDULE_COLUMN_FAILED({
      message: `column "${this.name}" of plugin "${this.plugin}": ${what}`,
      cause,
    });
    this.#report({ error, plugin: this.plugin });
  }
}

/** The kernel's columns and those of one hook generation's plugins. */
export class ColumnTable {
  readonly #table: NodeTable;
  readonly #computed: ReadonlyMap<string, ComputedColumn>;

  constructor(table: NodeTable, columns: readonly PluginColumn[], report: ReportProblem) {
    this.#table = table;
    this.#computed = new Map(columns.map((column) => [column.name, new ComputedColumn(column, report)]));
    for (const slot of table.slotsByName) this.nodeChanged(slot);
  }

  /** Where a column that a tap reads is found. @throws TAP_SCHEDULE_COLUMN_UNKNOWN */
  source(column: NodeColumn): ColumnSource {
    const table = this.#table;
    const computed = this.#computed.get(column.name);
    if (computed !== undefined) return computed;
    if (column.name === 'podsFree' || column.name === 'free:pods')
      return { name: column.name, dynamic: true, plugin: undefined, values: () => table.podsFree };
    const [, kind, resource = ''] = /^(free|allocatable):(.+)$/.exec(column.name) ?? [];
    const interned = kind === undefined ? undefined : table.internResource(resource);
    if (interned === undefined)
      throw scheduleErrors.TAP_SCHEDULE_COLUMN_UNKNOWN({ message: `column "${column.name}": nobody provides it` });
    return kind === 'free'
      ? { name: column.name, dynamic: true, plugin: undefined, values: () => interned.free }
      : { name: column.name, dynamic: false, plugin: undefined, values: () => interned.allocatable };
  }

  /** Computes every plugin column of a node; says whether any value is another than before. */
  nodeChanged(slot: number): boolean {
    let changed = false;
    for (const column of this.#computed.values()) changed = column.compute(this.#table, slot) || changed;
    return changed;
  }

  /** Computes one column of all nodes; the nodes with another value count as changed. Says whether there are any. */
  columnChanged(name: string): boolean {
    const column = this.#computed.get(name);
    if (column === undefined) return false;
    const slots = this.#table.slotsByName.filter((slot) => column.compute(this.#table, slot));
    for (const slot of slots) this.#table.touchNode(slot);
    return slots.length > 0;
  }
}

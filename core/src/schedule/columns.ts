import type { NodeColumn } from '@tappaas/sdk';
import { scheduleErrors } from './errors.js';
import type { NodeTable } from './node-table.js';
import type { ReportProblem } from './problems.js';
import { grownFloats } from './resource-columns.js';
import type { PluginColumn } from './taps.js';

/** The values of a column. The array may be replaced when the table grows, so call `values` each time. */
export interface ColumnSource {
  readonly name: string;
  /** Changes with the pods of a node, not only with the node. */
  readonly dynamic: boolean;
  /** Set for plugin columns, where a missing value refuses the node. */
  readonly plugin: string | undefined;
  values(): Float64Array;
}

class ComputedColumn implements ColumnSource {
  readonly dynamic = false;
  readonly name: string;
  readonly plugin: string;
  readonly #column: PluginColumn;
  readonly #report: ReportProblem;
  /** Slots whose value could not be computed because the plugin threw or is not running. */
  readonly failed = new Set<number>();
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

  /** Computes the value of one node; returns whether it changed. */
  compute(table: NodeTable, slot: number): boolean {
    if (this.#values.length < table.capacity) this.#values = grownFloats(this.#values, table.capacity);
    const value = this.#of(table, slot);
    const changed = !Object.is(value, this.#values[slot]);
    this.#values[slot] = value;
    return changed;
  }

  #of(table: NodeTable, slot: number): number {
    this.failed.delete(slot);
    const facts = table.facts(slot);
    if (facts === undefined) return Number.NaN;
    try {
      const value: unknown = this.#column.of(facts.node);
      if (typeof value === 'number') return value;
      this.#fail(slot, `expected a number for node "${facts.name}", found ${typeof value}`);
    } catch (cause) {
      this.#fail(slot, `failed for node "${facts.name}"`, cause);
    }
    return Number.NaN;
  }

  #fail(slot: number, what: string, cause?: unknown): void {
    this.failed.add(slot);
    const error = scheduleErrors.TAP_SCHEDULE_COLUMN_FAILED({
      message: `column "${this.name}" of plugin "${this.plugin}": ${what}`,
      cause,
    });
    this.#report({ error, plugin: this.plugin });
  }
}

/** The kernel's columns, and the plugin columns of one hook generation. */
export class ColumnTable {
  readonly #table: NodeTable;
  readonly #computed: readonly ComputedColumn[];

  constructor(table: NodeTable, columns: readonly PluginColumn[], report: ReportProblem) {
    this.#table = table;
    this.#computed = columns.map((column) => new ComputedColumn(column, report));
    for (const slot of table.slotsByName) this.nodeChanged(slot);
  }

  /**
   * Finds the column that a tap of `plugin` reads: the kernel's, else the plugin's own, else another plugin's with that name.
   *
   * @throws TAP_SCHEDULE_COLUMN_UNKNOWN
   */
  source(column: NodeColumn, plugin: string): ColumnSource {
    const source = this.#kernels(column) ?? this.#own(column.name, plugin) ?? this.#computed.find(({ name }) => name === column.name);
    if (source !== undefined) return source;
    const message = `column "${column.name}", read by plugin "${plugin}": no plugin provides it`;
    throw scheduleErrors.TAP_SCHEDULE_COLUMN_UNKNOWN({ message });
  }

  /** Computes every plugin column of a node; returns whether any value changed. */
  nodeChanged(slot: number): boolean {
    let changed = false;
    for (const column of this.#computed) changed = column.compute(this.#table, slot) || changed;
    return changed;
  }

  /** Recomputes values that failed before; nodes with a new value count as changed. Returns whether there are any. */
  retryFailed(): boolean {
    let changed = false;
    for (const column of this.#computed) {
      // Iterate over a copy, because values that fail again are added to the set.
      for (const slot of Array.from(column.failed)) {
        if (!column.compute(this.#table, slot)) continue;
        this.#table.touchNode(slot);
        changed = true;
      }
    }
    return changed;
  }

  /** Whether any value could not be computed. */
  get hasFailed(): boolean {
    return this.#computed.some(({ failed }) => failed.size > 0);
  }

  /** Computes one column for all nodes; nodes with a new value count as changed. Returns whether there are any. */
  columnChanged(plugin: string, name: string): boolean {
    const column = this.#own(name, plugin);
    if (column === undefined) return false;
    const slots = this.#table.slotsByName.filter((slot) => column.compute(this.#table, slot));
    for (const slot of slots) this.#table.touchNode(slot);
    return slots.length > 0;
  }

  #own(name: string, plugin: string): ComputedColumn | undefined {
    return this.#computed.find((column) => column.name === name && column.plugin === plugin);
  }

  #kernels(column: NodeColumn): ColumnSource | undefined {
    const table = this.#table;
    if (column.name === 'podsFree' || column.name === 'free:pods')
      return { name: column.name, dynamic: true, plugin: undefined, values: () => table.podsFree };
    const [, kind, resource = ''] = /^(free|allocatable):(.+)$/.exec(column.name) ?? [];
    const interned = kind === undefined ? undefined : table.internResource(resource);
    if (interned === undefined) return undefined;
    return kind === 'free'
      ? { name: column.name, dynamic: true, plugin: undefined, values: () => interned.free }
      : { name: column.name, dynamic: false, plugin: undefined, values: () => interned.allocatable };
  }
}

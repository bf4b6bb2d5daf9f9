import { harmlessLine } from './harmless.js';

type Row = readonly string[];

/** Formats rows in columns as wide as their widest cell; the last column is not padded. */
export function textTable(header: Row, rows: readonly Row[]): string {
  return new GrowingTable().begin(header, rows);
}

/** As {@link textTable}, for rows that arrive one by one: columns are as wide as the cells so far. */
export class GrowingTable {
  #widths: readonly number[] = [];

  begin(header: Row, rows: readonly Row[]): string {
    return [header, ...rows].map(this.#widened).map(this.#line).join('');
  }

  /** Formats a further row. */
  add(row: Row): string {
    return this.#line(this.#widened(row));
  }

  readonly #widened = (cells: Row): Row => {
    const row = cells.map(harmlessLine);
    this.#widths = row.map((cell, column) => Math.max(cell.length, this.#widths[column] ?? 0));
    return row;
  };

  readonly #line = (row: Row): string =>
    `${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd((this.#widths[column] ?? 0) + 3))).join('')}\n`;
}

/** Formats a duration for people: 320 ms, 4.1 s, 2 min 5 s, 3 h 20 min, 4 d. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1000)} s`;
  if (ms < 48 * 3_600_000) return `${Math.floor(ms / 3_600_000)} h ${Math.floor((ms % 3_600_000) / 60_000)} min`;
  return `${Math.floor(ms / 86_400_000)} d`;
}

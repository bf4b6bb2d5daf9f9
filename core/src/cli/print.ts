import type { Invocation } from './command.js';
import { harmless } from './harmless.js';
import { textTable } from './table.js';

/** Prints a value for programs, or the text from `format` for people. */
export async function print(invocation: Pick<Invocation, 'terminal' | 'output'>, value: object, format: () => string): Promise<void> {
  const { terminal, output } = invocation;
  if (output === 'json') terminal.stdout.write(harmless(`${JSON.stringify(value, null, 2)}\n`));
  else if (output === 'yaml') terminal.stdout.write((await import('yaml')).stringify(value));
  else terminal.stdout.write(harmless(format()));
}

/** Prints one of a series of values: for programs as one line of JSON or one YAML document, otherwise as the text from `format`. */
export async function printEach(invocation: Pick<Invocation, 'terminal' | 'output'>, value: object, format: () => string): Promise<void> {
  const { terminal, output } = invocation;
  if (output === 'json') terminal.stdout.write(harmless(`${JSON.stringify(value)}\n`));
  else if (output === 'yaml') terminal.stdout.write(`---\n${(await import('yaml')).stringify(value)}`);
  else terminal.stdout.write(harmless(format()));
}

/** A meta.k8s.io/v1 Table, as the platform renders lists. */
export interface ServerTable {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority?: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object?: RowObject }[];
}

/** The object of a row. */
export interface RowObject {
  readonly metadata: { readonly namespace?: string; readonly name: string; readonly resourceVersion: string };
}

/** Accept header that requests a rendered list. */
export const tableType = 'application/json;as=Table;v=v1;g=meta.k8s.io';

/** Formats a server's table; low-priority columns only with `-o wide`. */
export function renderTable(table: ServerTable, wide: boolean): string {
  const { header, rows } = textOf(table, wide);
  return textTable(header, rows);
}

/** Returns the displayed cells of a server's table. */
export function textOf(table: ServerTable, wide: boolean): { readonly header: readonly string[]; readonly rows: readonly string[][] } {
  const shown = table.columnDefinitions
    .map((column, index) => ({ ...column, index }))
    .filter(({ priority }) => wide || (priority ?? 0) === 0);
  const cell = (value: unknown) =>
    value === undefined || value === null || value === '' ? '-' : typeof value === 'string' ? value : JSON.stringify(value);
  return {
    header: shown.map(({ name }) => name.toUpperCase()),
    rows: table.rows.map(({ cells }) => shown.map(({ index }) => cell(cells[index]))),
  };
}

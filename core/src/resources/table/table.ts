import type { JsonObject } from '../schema/json-value.js';
import type { TableColumn } from './table-column.js';

/** Columns and cells of a `meta.k8s.io/v1` Table; the API adds the other parts of a row. */
export interface TableContent {
  readonly columnDefinitions: readonly JsonObject[];
  readonly rows: readonly (readonly unknown[])[];
}

/** Makes the table of `objects` at the given time. */
export function tableOf(columns: readonly TableColumn[], objects: readonly object[], nowMs: number): TableContent {
  return {
    columnDefinitions: columns.map(({ name, type, format = '', priority, description }) => ({ name, type, format, priority, description })),
    rows: objects.map((object) => columns.map(({ cell }) => cell(object, nowMs))),
  };
}

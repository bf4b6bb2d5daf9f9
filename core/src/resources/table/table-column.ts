import { memberOf, valueAt } from '../schema/json-value.js';
import { ageOf } from './age.js';
import { compileJsonPath } from './json-path.js';

/** One column of `Table` output. */
export interface TableColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  /** 0 is always shown, 1 only with `-o wide`. */
  readonly priority: number;
  readonly description: string;
  /** Computes the value, where null is shown as `<none>`. Never throws, even if fields are missing. */
  readonly cell: (object: unknown, nowMs: number) => unknown;
}

/** A column as declared by a kind. */
export interface ColumnDeclaration {
  readonly name: string;
  readonly path: string;
  readonly type?: TableColumn['type'];
  readonly format?: string;
  readonly priority?: number;
  readonly description?: string;
  readonly wide?: boolean;
}

export const nameColumn: TableColumn = {
  name: 'Name',
  type: 'string',
  format: 'name',
  priority: 0,
  description: 'Name of the object, unique among its kind in its namespace.',
  cell: (object) => valueAt(object, ['metadata', 'name']) ?? null,
};

export const ageColumn: TableColumn = {
  name: 'Age',
  type: 'string',
  priority: 0,
  description: 'Time since the object was created.',
  cell: (object, nowMs) => ageOf(valueAt(object, ['metadata', 'creationTimestamp']), nowMs),
};

/**
 * Makes the columns that a kind declares by path: the name first, and the age last unless the kind declares its own.
 *
 * @throws TypeError when a path cannot be parsed.
 */
export function declaredColumns(declarations: readonly ColumnDeclaration[]): readonly TableColumn[] {
  const own = declarations.filter(({ name }) => name.toLowerCase() !== 'name').map(declaredColumn);
  const hasAge = own.some(({ name }) => name.toLowerCase() === 'age');
  return Object.freeze([nameColumn, ...own, ...(hasAge ? [] : [ageColumn])]);
}

function declaredColumn(declaration: ColumnDeclaration): TableColumn {
  const find = compileJsonPath(declaration.path);
  const type = declaration.type ?? 'string';
  return {
    name: declaration.name,
    // A date is shown as an age, which is a string.
    type: type === 'date' ? 'string' : type,
    ...(declaration.format === undefined ? {} : { format: declaration.format }),
    priority: declaration.priority ?? (declaration.wide === true ? 1 : 0),
    description: declaration.description ?? `The field ${declaration.path}.`,
    cell: (object, nowMs) => cellOf(find(object), type, nowMs),
  };
}

/** A value whose type differs from the column's is dropped, because clients could not align it. */
function cellOf(values: readonly unknown[], type: TableColumn['type'], nowMs: number): unknown {
  const [first] = values;
  if (first === undefined || first === null) return null;
  switch (type) {
    case 'integer':
      return typeof first === 'number' ? Math.trunc(first) : null;
    case 'number':
      return typeof first === 'number' ? first : null;
    case 'boolean':
      return typeof first === 'boolean' ? first : null;
    case 'date':
      return ageOf(first, nowMs);
    default:
      return values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(',');
  }
}

/** Makes a column that is computed from the object, for kinds whose output is more than fields. */
export function column(
  name: string,
  description: string,
  cell: TableColumn['cell'],
  options: Partial<Pick<TableColumn, 'type' | 'priority'>> = {},
): TableColumn {
  return { name, type: options.type ?? 'string', priority: options.priority ?? 0, description, cell };
}

/** Makes a column that shows the text of a field, or `<none>`. */
export function fieldColumn(
  name: string,
  description: string,
  path: string,
  options: { readonly wide?: boolean; readonly without?: string } = {},
): TableColumn {
  const names = path.split('.');
  const cell = (object: unknown): unknown => textOf(valueAt(object, names)) || (options.without ?? '<none>');
  return column(name, description, cell, { priority: options.wide === true ? 1 : 0 });
}

/** Makes a column that shows the number of a field, or 0. */
export function countColumn(name: string, description: string, path: string): TableColumn {
  const names = path.split('.');
  return column(name, description, (object) => numberAt(object, names), { type: 'integer' });
}

export const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);

export function numberAt(object: unknown, path: readonly string[]): number {
  const value = valueAt(object, path);
  return typeof value === 'number' ? value : 0;
}

/** Returns the items of a list at a path; an empty list if it is absent. */
export function listAt(object: unknown, path: readonly string[]): readonly unknown[] {
  const value = valueAt(object, path);
  return Array.isArray(value) ? value : [];
}

export const textAt = (object: unknown, ...path: readonly string[]): string => textOf(valueAt(object, path));

/** Formats labels and selectors as kubectl does, `a=b,c=d`; `<none>` if empty. */
export function labelsText(labels: unknown): string {
  const entries =
    typeof labels === 'object' && labels !== null ? Object.entries(labels).map(([key, value]) => `${key}=${textOf(value)}`) : [];
  return entries.sort().join(',') || '<none>';
}

/** Joins items; `<none>` if there are none. */
export const joined = (items: readonly string[], separator = ','): string =>
  items.filter((item) => item !== '').join(separator) || '<none>';

/** Lists the first items and the number of the rest. */
export function firstOf(items: readonly string[], max: number): string {
  return items.length <= max ? joined(items) : `${items.slice(0, max).join(',')} + ${items.length - max} more...`;
}

/** Formats a selector field, `{ matchLabels, matchExpressions }`, as kubectl does. */
export function selectorText(selector: unknown): string {
  const expressions = listAt(selector, ['matchExpressions']).map((expression) => {
    const values = listAt(expression, ['values']).map(textOf).join(',');
    const [key, operator] = [textAt(expression, 'key'), textAt(expression, 'operator')];
    if (operator === 'Exists') return key;
    return operator === 'DoesNotExist' ? `!${key}` : `${key} ${operator.toLowerCase()} (${values})`;
  });
  const labels = labelsText(memberOf(selector, 'matchLabels'));
  return joined([labels === '<none>' ? '' : labels, ...expressions]);
}

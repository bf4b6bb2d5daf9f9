import { memberOf, valueAt } from '../schema/json-value.js';
import { ageOf } from './age.js';
import { compileJsonPath } from './json-path.js';

/** One column of `Table` output. */
export interface TableColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  /** 0 is always shown, 1 only by `-o wide`. */
  readonly priority: number;
  readonly description: string;
  /** Null is shown as `<none>`. Never throws, whatever the object lacks. */
  readonly cell: (object: unknown, nowMs: number) => unknown;
}

/** A column as a kind declares it. */
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
 * The columns of a kind that declares them by path: the name first, and the age last unless the kind has an age of its own.
 *
 * @throws TypeError when a path is not understood.
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
    // A date is shown as an age, which is text.
    type: type === 'date' ? 'string' : type,
    ...(declaration.format === undefined ? {} : { format: declaration.format }),
    priority: declaration.priority ?? (declaration.wide === true ? 1 : 0),
    description: declaration.description ?? `The field ${declaration.path}.`,
    cell: (object, nowMs) => cellOf(find(object), type, nowMs),
  };
}

/** A value of another type than the column's is no value: clients would not know how to align it. */
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

/** A column computed from the object, of the kinds whose output is more than fields. */
export function column(
  name: string,
  description: string,
  cell: TableColumn['cell'],
  options: Partial<Pick<TableColumn, 'type' | 'priority'>> = {},
): TableColumn {
  return { name, type: options.type ?? 'string', priority: options.priority ?? 0, description, cell };
}

/** The text of a field, `<none>` without one. */
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

/** The whole number of a field, 0 without one. */
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

/** Items of a list at a path, none where there is no list. */
export function listAt(object: unknown, path: readonly string[]): readonly unknown[] {
  const value = valueAt(object, path);
  return Array.isArray(value) ? value : [];
}

export const textAt = (object: unknown, ...path: readonly string[]): string => textOf(valueAt(object, path));

/** `a=b,c=d` as kubectl prints labels and selectors; `<none>` for none. */
export function labelsText(labels: unknown): string {
  const entries =
    typeof labels === 'object' && labels !== null ? Object.entries(labels).map(([key, value]) => `${key}=${textOf(value)}`) : [];
  return entries.sort().join(',') || '<none>';
}

/** Items joined, `<none>` for none. */
export const joined = (items: readonly string[], separator = ','): string =>
  items.filter((item) => item !== '').join(separator) || '<none>';

/** The first items and how many there are more. */
export function firstOf(items: readonly string[], max: number): string {
  return items.length <= max ? joined(items) : `${items.slice(0, max).join(',')} + ${items.length - max} more...`;
}

/** A selector field, `{ matchLabels, matchExpressions }`, as kubectl prints it. */
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

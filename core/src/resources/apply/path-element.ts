import { memberType, type FieldType } from '../schema/field-type.js';
import { canonicalJson, isJsonObject, memberOf } from '../schema/json-value.js';
import { anything } from './structure.js';

/**
 * One step of a path in `fieldsV1` notation: `f:name` is a member, `k:{…}` the item with these keys, `v:…` the item with this value, `i:0`
 * the item at this index. The text is canonical, so that equal steps are equal strings.
 */
export type PathElement = string;

/** Returns the step to a member. */
export const member = (name: string): PathElement => `f:${name}`;

/** Returns the step to an item of a list of type set or map; undefined when the item lacks a key that has no default. */
export function itemElement(list: FieldType, item: unknown): PathElement | undefined {
  if (list.listType === 'set') return item === null || item === undefined ? undefined : `v:${canonicalJson(item)}`;
  if (!isJsonObject(item)) return undefined;
  const keys: [string, unknown][] = [];
  for (const name of list.keys) {
    const key = memberOf(item, name) ?? list.items.fields.get(name)?.schema.default;
    if (key === undefined || key === null) return undefined;
    keys.push([name, key]);
  }
  return `k:${canonicalJson(Object.fromEntries(keys))}`;
}

/** Returns the type that a step leads to from `type`. */
export function elementType(type: FieldType, element: PathElement): FieldType {
  if (!element.startsWith('f:')) return type.shape === 'list' ? type.items : anything;
  return memberType(type, element.slice(2)) ?? anything;
}

/** Parses a step into canonical text; undefined when it is malformed. */
export function readElement(text: string): PathElement | undefined {
  const value = text.slice(2);
  switch (text.slice(0, 2)) {
    case 'f:':
      return text;
    case 'i:':
      return /^\d{1,9}$/.test(value) ? text : undefined;
    case 'v:':
      return canonical('v:', value);
    case 'k:':
      return value.startsWith('{') ? canonical('k:', value) : undefined;
    default:
      return undefined;
  }
}

function canonical(prefix: string, json: string): PathElement | undefined {
  try {
    return prefix + canonicalJson(JSON.parse(json));
  } catch {
    return undefined;
  }
}

/** Formats a path for people: `.spec.containers[name="web"].image`. */
export function displayPath(path: readonly PathElement[]): string {
  return path.map(displayElement).join('');
}

function displayElement(element: PathElement): string {
  const value = element.slice(2);
  switch (element.slice(0, 2)) {
    case 'f:':
      return `.${value}`;
    case 'k:':
      return `[${Object.entries(JSON.parse(value) as Record<string, unknown>)
        .map(([name, key]) => `${name}=${JSON.stringify(key)}`)
        .join(',')}]`;
    case 'v:':
      return `[=${value}]`;
    default:
      return `[${value}]`;
  }
}

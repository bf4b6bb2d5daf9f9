import type { JsonSchema } from '../manifest/manifest.js';
import { hasFormat } from './formats.js';

/** Formats a value for messages, truncated. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** Describes briefly what a schema expects. */
export function expectation(schema: JsonSchema): string {
  if ('const' in schema) return shown(schema['const']);
  if (Array.isArray(schema['enum'])) return `one of ${schema['enum'].map(shown).join(', ')}`;
  const forms = (schema['anyOf'] ?? schema['oneOf']) as readonly JsonSchema[] | undefined;
  if (forms !== undefined) {
    const constants = forms.every((form) => 'const' in form);
    return constants ? `one of ${forms.map((form) => shown(form['const'])).join(', ')}` : forms.map(expectation).join(' or ');
  }
  const type = schema['type'];
  if (type === 'object') return 'a map';
  if (type === 'array') return 'a list';
  if (type === 'string') return schema['format'] === undefined ? 'a string' : `a string of format ${shown(schema['format'])}`;
  if (type === 'integer') return 'a whole number';
  if (type === 'number') return 'a number';
  if (type === 'boolean') return 'true or false';
  return type === undefined ? 'a value' : shown(type);
}

/** Returns what is wrong with a string; undefined if it is valid. */
export function stringFault(text: string, schema: JsonSchema): string | undefined {
  const { minLength, maxLength, pattern, format } = schema;
  const length = Array.from(text).length;
  if (typeof minLength === 'number' && length < minLength) return `at least ${minLength} characters expected, ${length} found`;
  if (typeof maxLength === 'number' && length > maxLength) return `at most ${maxLength} characters expected, ${length} found`;
  if (typeof pattern === 'string' && !new RegExp(pattern, 'u').test(text)) return `${shown(text)} does not match the pattern ${pattern}`;
  if (typeof format === 'string' && !hasFormat(text, format)) return `expected ${expectation(schema)}, found ${shown(text)}`;
  return undefined;
}

/** Returns what is wrong with a number; undefined if it is valid. */
export function numberFault(value: number, schema: JsonSchema): string | undefined {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  if (typeof minimum === 'number' && value < minimum) return `at least ${minimum} expected, ${value} found`;
  if (typeof maximum === 'number' && value > maximum) return `at most ${maximum} expected, ${value} found`;
  if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum) return `more than ${exclusiveMinimum} expected, ${value} found`;
  if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum) return `less than ${exclusiveMaximum} expected, ${value} found`;
  if (typeof multipleOf === 'number' && !isMultiple(value, multipleOf)) return `a multiple of ${multipleOf} expected, ${value} found`;
  return undefined;
}

function isMultiple(value: number, of: number): boolean {
  const quotient = value / of;
  return Math.abs(quotient - Math.round(quotient)) < 1e-9 * Math.max(1, Math.abs(quotient));
}

import { isDeepStrictEqual } from 'node:util';
import { secretKeyword } from '@tappaas/sdk';
import type { JsonSchema } from '../manifest/manifest.js';
import { knownFormats } from './formats.js';

const annotations = ['title', 'description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly', '$id', '$schema', '$comment'];
const structure = ['type', 'const', 'enum', 'anyOf', 'oneOf', 'properties', 'required', 'additionalProperties', 'patternProperties'];
const listRules = ['minProperties', 'maxProperties', 'items', 'additionalItems', 'minItems', 'maxItems', 'uniqueItems'];
const textRules = ['minLength', 'maxLength', 'pattern', 'format'];
const numberRules = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'];
const vocabulary = new Set([...annotations, ...structure, 'not', ...listRules, ...textRules, ...numberRules]);

/**
 * Makes the schema in a manifest from an author's schema: objects are closed, so that a mistyped key is an error, and keys with a default
 * are optional. Unsupported keywords are refused at build time rather than ignored when loading.
 *
 * @throws TypeError naming the place and the keyword; an Intersect (`allOf`) cannot be closed.
 */
export function closedSchema(schema: unknown, place = 'config'): JsonSchema {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) throw new TypeError(`${place}: a schema must be an object`);
  const source = JSON.parse(JSON.stringify(schema)) as Record<string, unknown>;
  if ('allOf' in source) {
    throw new TypeError(`${place}: an Intersect cannot be closed; declare one object with all properties`);
  }
  const unknown = Object.keys(source).find((keyword) => !vocabulary.has(keyword) && !keyword.startsWith('x-'));
  if (unknown !== undefined) throw new TypeError(`${place}: the schema keyword "${unknown}" cannot be used in a configuration`);
  const { format } = source;
  if (typeof format === 'string' && !knownFormats.has(format)) {
    throw new TypeError(`${place}: the format "${format}" is none of ${[...knownFormats].join(', ')}`);
  }
  if ('not' in source && !isCombination(source['not']))
    throw new TypeError(`${place}: not has to name values that do not go together: constants of at least two properties, all required`);
  return source[secretKeyword] === true ? source : closedParts(source, place);
}

/** Whether a `not` schema has the only supported form, because an error must be able to name what is refused. */
function isCombination(schema: unknown): boolean {
  const { properties, required, ...rest } = schema as JsonSchema;
  const parts = Object.entries((properties ?? {}) as Readonly<Record<string, object>>);
  const names = parts.map(([name]) => name);
  return (
    parts.length > 1 &&
    parts.every(([, part]) => Object.keys(part).join() === 'const') &&
    isDeepStrictEqual(required, names) &&
    Object.keys(rest).length === 0
  );
}

function closedParts(source: Record<string, unknown>, place: string): JsonSchema {
  const closed: Record<string, unknown> = { ...source };
  for (const keyword of ['anyOf', 'oneOf']) {
    if (Array.isArray(source[keyword]))
      closed[keyword] = source[keyword].map((form: unknown, n) => closedSchema(form, `${place}.${keyword}[${n}]`));
  }
  for (const keyword of ['properties', 'patternProperties']) {
    if (source[keyword] !== undefined) {
      const parts = Object.entries(source[keyword] as object).map(([key, part]) => [key, closedSchema(part, `${place}.${key}`)] as const);
      closed[keyword] = Object.fromEntries(parts);
    }
  }
  if (Array.isArray(source['items'])) closed['items'] = source['items'].map((item: unknown, n) => closedSchema(item, `${place}[${n}]`));
  else if (source['items'] !== undefined) closed['items'] = closedSchema(source['items'], `${place}[]`);
  if (typeof source['additionalProperties'] === 'object') {
    closed['additionalProperties'] = closedSchema(source['additionalProperties'], `${place}.*`);
  } else if (source['type'] === 'object' && source['properties'] !== undefined) {
    closed['additionalProperties'] = false;
  }
  const properties = (closed['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
  if (Array.isArray(source['required'])) {
    closed['required'] = source['required'].filter((key: string) => properties[key] === undefined || !('default' in properties[key]));
  }
  return closed;
}

import { valueAt } from '../schema/json-value.js';
import { checkLength, invalidSelector } from './selector-errors.js';

/** One condition on a field; an absent field counts as the empty string. */
export interface FieldRequirement {
  readonly field: string;
  readonly isNegated: boolean;
  readonly value: string;
}

/** A parsed field selector: every requirement must hold. */
export interface FieldSelector {
  readonly requirements: readonly FieldRequirement[];
  readonly matches: (object: unknown) => boolean;
  /** Requirements that an index can answer; `isExact` when there are no others. */
  readonly lookups: readonly { readonly field: string; readonly value: string }[];
  readonly isExact: boolean;
}

/**
 * Parses `metadata.name=a,spec.nodeName!=b`; `\\`, `\,` and `\=` stand for the character itself.
 *
 * @param fields path of each selectable field in the object, as names from the top.
 * @throws TAP_SELECTOR_INVALID, also for a field that the kind does not offer.
 */
export function parseFieldSelector(text: string, fields: ReadonlyMap<string, readonly string[]>): FieldSelector {
  checkLength(text);
  const requirements = terms(text).map((term) => requirement(term, text));
  for (const { field } of requirements) {
    if (!fields.has(field)) {
      throw invalidSelector(`field label not supported: ${field}; selectable are ${[...fields.keys()].join(', ')}`);
    }
  }
  const positive = requirements.filter(({ isNegated }) => !isNegated);
  return Object.freeze({
    requirements: Object.freeze(requirements),
    matches: (object: unknown) =>
      requirements.every(({ field, isNegated, value }) => (fieldText(object, fields.get(field) ?? []) === value) !== isNegated),
    lookups: positive.map(({ field, value }) => ({ field, value })),
    isExact: positive.length === requirements.length,
  });
}

/** Returns the text that a field selector compares: strings as they are, other scalars as JSON, absent values as the empty string. */
export function fieldText(object: unknown, path: readonly string[]): string {
  const value = valueAt(object, path);
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Splits at commas that are not preceded by a backslash. */
function terms(text: string): readonly string[] {
  return [...text.matchAll(/(?:\\[^]|[^,\\])+|\\$/g)].map(([term]) => term);
}

function requirement(term: string, text: string): FieldRequirement {
  const match = /^(?<field>[^=!\\]+)(?<operator>==|!=|=)(?<value>[^]*)$/.exec(term)?.groups;
  const value = match?.['value'] ?? '';
  if (match === undefined || /(?:^|[^\\])(?:\\\\)*=/.test(value)) {
    throw invalidSelector(
      `unable to parse the field selector ${JSON.stringify(text)}: ${JSON.stringify(term)} is not of the form field=value`,
    );
  }
  if (/(?:^|[^\\])(?:\\\\)*\\(?![\\,=])/.test(value)) {
    throw invalidSelector(`unable to parse the field selector ${JSON.stringify(text)}: a backslash stands only before \\, a comma or =`);
  }
  return { field: match['field']?.trim() ?? '', isNegated: match['operator'] === '!=', value: value.replaceAll(/\\([^])/g, '$1') };
}

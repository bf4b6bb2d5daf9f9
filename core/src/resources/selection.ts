import type { Filter } from '../ports/engine.js';
import type { KindEntry } from './kind-entry.js';
import { objectKey } from './key-space.js';
import { indexNames } from './object-cache.js';
import { parseFieldSelector } from './selectors/field-selector.js';
import { parseLabelSelector } from './selectors/label-selector.js';
import type { StoredObject } from './stored-object.js';
import type { Selection } from './watch-cache.js';

type Term = NonNullable<Selection<StoredObject>['where']>[number];
type Test = (stored: StoredObject) => boolean;

interface Part {
  readonly where: readonly Term[];
  /** Test of the conditions that the index terms do not cover. */
  readonly test: Test | undefined;
}

const everything: Part = { where: [], test: undefined };

/** Makes the selection of a query in the cache of a kind. @throws TAP_SELECTOR_INVALID */
export function selectionOf(entry: KindEntry, namespace: string | undefined, filter: Filter): Selection<StoredObject> {
  const base = namespace === undefined || namespace === '' ? entry.prefix : objectKey(entry.prefix, namespace, '');
  const labels = labelPart(filter.labelSelector ?? '');
  const { name, ...fields } = fieldPart(entry, filter.fieldSelector ?? '');
  const tests = [labels.test, fields.test].filter((test) => test !== undefined);
  const where = [...labels.where, ...fields.where, ...valuesPart(filter)];
  // A name alone leads straight to the object: the only other keys with this prefix have longer names.
  const isOne = name !== undefined && (base !== entry.prefix) === entry.isNamespaced;
  return {
    within: isOne ? base + name : base,
    ...(where.length > 0 && { where }),
    ...(tests.length > 0 && { matches: ({ object }) => tests.every((test) => test(object)) }),
  };
}

function valuesPart({ fieldValues }: Filter): readonly Term[] {
  return fieldValues === undefined ? [] : [{ index: indexNames.field(fieldValues.field), values: fieldValues.values }];
}

function labelPart(text: string): Part {
  if (text === '') return everything;
  const { lookups, isExact, matches } = parseLabelSelector(text);
  const where = lookups.map(({ key, values }) => ({
    index: indexNames.label,
    values: values === undefined ? [key] : values.map((value) => `${key}=${value}`),
  }));
  return { where, test: isExact ? undefined : ({ lean }) => matches(lean.metadata.labels) };
}

function fieldPart(entry: KindEntry, text: string): Part & { readonly name?: string } {
  if (text === '') return everything;
  const { lookups, isExact, matches } = parseFieldSelector(text, entry.selectable);
  const where = lookups
    .filter(({ field }) => entry.fields.has(field))
    .map(({ field, value }) => ({ index: indexNames.field(field), values: [value] }));
  const name = lookups.find(({ field }) => field === 'metadata.name')?.value;
  const isLeft = !isExact || where.length < lookups.length;
  return { where, test: isLeft ? ({ lean }) => matches(lean) : undefined, ...(name !== undefined && { name }) };
}

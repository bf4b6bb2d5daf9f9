/** Parameters of queries and headers, by name: what is understood, and what is not. */
import { constant, constantFrom, oneof, tuple, type Arbitrary } from 'fast-check';
import type { Parameter } from './openapi-document.ts';
import { knownVersion, text } from './openapi-texts.ts';
import { seldom } from './openapi-values.ts';

const parameterValues: Readonly<Record<string, readonly [good: readonly string[], bad: readonly string[]]>> = {
  dryRun: [['All'], ['Some']],
  fieldValidation: [['Strict', 'Warn', 'Ignore'], ['Maybe']],
  fieldManager: [
    ['fuzz', 'other'],
    ['x'.repeat(129), ''],
  ],
  force: [['true', 'false'], ['1']],
  labelSelector: [
    ['a=b', 'a in (b,c)', '!a', 'a notin (b)'],
    ['a,', '((', 'a notin ()', ','.repeat(500)],
  ],
  fieldSelector: [
    ['metadata.name=a', 'metadata.namespace!=fuzz'],
    ['spec.x=1', '=', '__proto__=a'],
  ],
  limit: [
    ['1', '0', '500'],
    ['-1', '99999999999999999999', 'x'],
  ],
  continue: [[''], ['x', 'eyJhIjoxfQ', '..']],
  resourceVersion: [
    ['0', ''],
    ['1', '18446744073709551615', 'x'],
  ],
  resourceVersionMatch: [['NotOlderThan', 'Exact'], ['x']],
  watch: [['true', 'false', '0'], ['x']],
  timeoutSeconds: [['1'], ['0', '-1', 'x']],
  gracePeriodSeconds: [
    ['0', '1'],
    ['-1', 'x'],
  ],
  propagationPolicy: [['Foreground', 'Background', 'Orphan'], ['x']],
  command: [['true'], ['']],
  tailLines: [
    ['0', '10'],
    ['-1', 'x'],
  ],
};

export function parameter({ name }: Parameter): Arbitrary<readonly [name: string, value: string]> {
  const [good, bad] = parameterValues[name] ?? [['true'], ['x']];
  const value = oneof(
    { weight: 20, arbitrary: constantFrom(...good) },
    { weight: 1, arbitrary: constantFrom(...bad) },
    { weight: 1, arbitrary: text },
  );
  return tuple(constant(name), value);
}

/** One that is understood. */
export function goodParameter({ name }: Parameter): Arbitrary<readonly [name: string, value: string]> {
  return tuple(constant(name), constantFrom(...(parameterValues[name]?.[0] ?? ['true'])));
}

const headerValues: Readonly<Record<string, readonly [good: readonly string[], bad: readonly string[]]>> = {
  'If-Match': [
    [`"${knownVersion}"`, '*'],
    ['x', '"1", "2"', '"1"'],
  ],
  'If-None-Match': [['*'], ['"1"', 'x']],
  'Idempotency-Key': [['key-1', 'key-2', 'key-3', 'key-4'], ['x'.repeat(300)]],
};
/** Of a `GET`. */
const knownTags = [`"${knownVersion}"`, '"1"', 'W/"1", "2"', '*'];

function valuesOf({ name, schema }: Parameter): readonly [good: readonly string[], bad: readonly string[]] {
  const [good, bad] = headerValues[name] ?? [['x'], ['']];
  return name === 'If-None-Match' && schema.enum === undefined ? [knownTags, ['x']] : [good, bad];
}

/** A header as it is understood or not, and often none. */
export function sentHeader(header: Parameter): Arbitrary<string | undefined> {
  const [good, bad] = valuesOf(header);
  return oneof(
    { weight: 12, arbitrary: constant(undefined) },
    { weight: 4, arbitrary: constantFrom(...good) },
    { weight: 1, arbitrary: constantFrom(...bad) },
  );
}

export function goodHeader(header: Parameter): Arbitrary<string | undefined> {
  return seldom(constantFrom(...valuesOf(header)[0]));
}

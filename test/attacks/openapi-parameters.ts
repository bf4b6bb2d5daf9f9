/** Parameters of queries, by name: what is understood, and what is not. */
import { constant, constantFrom, oneof, tuple, type Arbitrary } from 'fast-check';
import type { Parameter } from './openapi-document.ts';
import { text } from './openapi-texts.ts';

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

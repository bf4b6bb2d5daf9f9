import type { PolicyExpectation, PolicyManifest } from './policy-test.js';

/** Validates a policy that was read from a file, and describes the fault; on a platform the kind's schema does this. */
export function shapeOfPolicy({ spec }: PolicyManifest): string | undefined {
  const { cedar, mode = 'Enforce' } = recordOf(spec);
  if (typeof cedar !== 'string' || cedar === '') return `spec.cedar: expected a text, found ${printed(cedar)}`;
  return mode === 'Enforce' || mode === 'Shadow' ? undefined : `spec.mode: expected Enforce or Shadow, found ${printed(mode)}`;
}

const outcomes: readonly PolicyExpectation['expect'][] = ['Forbidden', 'NotForbidden', 'Shadowed'];

/** Validates an expectation that was read from a file, and describes the fault. */
export function shapeOfExpectation(written: unknown, index: number): string | undefined {
  const expected = recordOf(written);
  const { name, user, verb, path, object, expect, by } = expected;
  const place = `test ${typeof name === 'string' ? `"${name}"` : index + 1}`;
  const unknown = Object.keys(expected).find((key) => !keys.includes(key));
  if (unknown !== undefined) return `${place}: "${unknown}" is unknown; expected ${keys.join(', ')}`;
  if (typeof name !== 'string') return `${place}: expected a name, found ${printed(name)}`;
  if (typeof recordOf(user)['name'] !== 'string') return `${place}: expected a user with a name, found ${printed(user)}`;
  if (typeof verb !== 'string') return `${place}: expected a verb, found ${printed(verb)}`;
  if ((path === undefined) === (object === undefined)) return `${place}: expected either an object or a path`;
  if (object !== undefined && typeof recordOf(object)['resource'] !== 'string')
    return `${place}: expected an object with a resource, found ${printed(object)}`;
  if (!outcomes.includes(expect as PolicyExpectation['expect']))
    return `${place}: expect: expected ${outcomes.join(', ')}, found ${printed(expect)}`;
  return by === undefined || (Array.isArray(by) && expect !== 'NotForbidden')
    ? undefined
    : `${place}: by: expected a list of policies that forbid it, found ${printed(by)} with expect ${String(expect)}`;
}

const keys: readonly string[] = ['name', 'user', 'verb', 'path', 'object', 'time', 'expect', 'by'];

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

const printed = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value));

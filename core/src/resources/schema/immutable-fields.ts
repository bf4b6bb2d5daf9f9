import { invalid, type Cause } from './cause.js';
import { equalJson, valueAt } from './json-value.js';

/** Reports changes of immutable fields; `paths` are names below the object. */
export function immutableCauses(paths: readonly (readonly string[])[], previous: unknown, next: unknown): readonly Cause[] {
  return paths
    .filter((path) => !equalJson(valueAt(previous, path), valueAt(next, path)))
    .map((path) => invalid(path.join('.'), valueAt(next, path) ?? null, 'field is immutable'));
}

import { invalid, type Cause } from './cause.js';
import { equalJson, valueAt } from './json-value.js';

/** What an update changes among the fields at `paths` (names below the object) that no update may change. */
export function immutableCauses(paths: readonly (readonly string[])[], previous: unknown, next: unknown): readonly Cause[] {
  return paths
    .filter((path) => !equalJson(valueAt(previous, path), valueAt(next, path)))
    .map((path) => invalid(path.join('.'), valueAt(next, path) ?? null, 'field is immutable'));
}

import type { ServedAction, ServedField } from '../../contributions.js';
import type { ExposedKind } from './exposed-kinds.js';
import type { InputTypes } from './input-types.js';
import type { OutputTypes } from './output-types.js';

/** The sources of a schema. */
export interface SchemaParts {
  readonly kinds: readonly ExposedKind[];
  readonly actions: readonly ServedAction[];
  readonly fields: readonly ServedField[];
}

/** The makers of types, which share one set of names. */
export interface ValueTypes {
  readonly outputs: OutputTypes;
  readonly inputs: InputTypes;
}

/** Finds a kind by group and name; undefined when it is not served. */
export function findKind(kinds: readonly ExposedKind[], group: string, kind: string): ExposedKind | undefined {
  return kinds.find(({ served }) => served.group === group && served.kind === kind);
}

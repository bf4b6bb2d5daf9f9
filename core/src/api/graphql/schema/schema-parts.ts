import type { ServedAction, ServedField } from '../../contributions.js';
import type { ExposedKind } from './exposed-kinds.js';
import type { InputTypes } from './input-types.js';
import type { OutputTypes } from './output-types.js';

/** What a schema is made of. */
export interface SchemaParts {
  readonly kinds: readonly ExposedKind[];
  readonly actions: readonly ServedAction[];
  readonly fields: readonly ServedField[];
}

/** The makers of types, which share names. */
export interface ValueTypes {
  readonly outputs: OutputTypes;
  readonly inputs: InputTypes;
}

/** The kind of a group and name, if it is served. */
export function findKind(kinds: readonly ExposedKind[], group: string, kind: string): ExposedKind | undefined {
  return kinds.find(({ served }) => served.group === group && served.kind === kind);
}

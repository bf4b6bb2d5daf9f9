import { memberType, type FieldType } from '../schema/field-type.js';
import { isJsonObject } from '../schema/json-value.js';
import { itemsByElement } from './keyed-items.js';
import { member, type PathElement } from './path-element.js';
import { PathSetBuilder, type PathSet } from './path-set.js';
import { anything, structureOf } from './structure.js';

/**
 * Returns the paths that an applier of `value` owns: every leaf, every item of a keyed list, and every entry of a map. A struct itself is
 * not owned, only its fields.
 */
export function ownedSet(type: FieldType, value: unknown): PathSet {
  const builder = new PathSetBuilder();
  collect(type, value, [], builder);
  return builder.build();
}

function collect(type: FieldType, value: unknown, path: readonly PathElement[], builder: PathSetBuilder): void {
  const structure = structureOf(type, value);
  if (structure === 'map' && isJsonObject(value)) {
    for (const [name, item] of Object.entries(value)) collectMember(type, name, item, path, builder);
  } else if (structure === 'list' && Array.isArray(value)) {
    for (const [element, same] of itemsByElement(type, value) ?? []) {
      // Items that share a key are one leaf, because their fields could not be attributed.
      if (same.length === 1) collect(type.items, same[0], [...path, element], builder);
      builder.add([...path, element]);
    }
  } else builder.add(path);
}

function collectMember(type: FieldType, name: string, value: unknown, path: readonly PathElement[], builder: PathSetBuilder): void {
  if (value === undefined) return;
  const below = [...path, member(name)];
  collect(memberType(type, name) ?? anything, value, below, builder);
  const isEmptyMap = isJsonObject(value) && Object.keys(value).length === 0;
  if (isEmptyMap || !type.fields.has(name)) builder.add(below);
}

import { memberType, type FieldType } from '../schema/field-type.js';
import { isJsonObject } from '../schema/json-value.js';
import { displayPath, itemElement, member, type PathElement } from './path-element.js';
import { anything } from './structure.js';

const findingsMax = 20;

/**
 * Lists why `configuration` cannot be applied under its type: fields unknown to the schema, values of the wrong shape, and keyed items with
 * a missing or duplicate key. Such values have no path, so they could not be owned.
 */
export function configurationFindings(type: FieldType, configuration: unknown): readonly string[] {
  const findings: string[] = [];
  check(type, configuration, [], findings);
  return findings.slice(0, findingsMax);
}

type Path = readonly PathElement[];

function check(type: FieldType, value: unknown, path: Path, findings: string[]): void {
  if (value === null || value === undefined || type.shape === 'any' || findings.length >= findingsMax) return;
  const expected = { map: 'map', list: 'list', scalar: 'scalar' }[type.shape];
  const found = Array.isArray(value) ? 'list' : isJsonObject(value) ? 'map' : 'scalar';
  if (found !== expected) findings.push(`${displayPath(path)}: expected ${expected}, got ${found}`);
  else if (Array.isArray(value)) checkItems(type, value, path, findings);
  else if (isJsonObject(value)) {
    for (const [name, item] of Object.entries(value)) {
      const known = memberType(type, name);
      if (known === undefined) findings.push(`${displayPath([...path, member(name)])}: field not declared in schema`);
      else check(known, item, [...path, member(name)], findings);
    }
  }
}

function checkItems(type: FieldType, list: readonly unknown[], path: Path, findings: string[]): void {
  const seen = new Set<PathElement>();
  for (const [index, item] of list.entries()) {
    const element = type.atomic ? `i:${index}` : itemElement(type, item);
    if (element === undefined) {
      findings.push(
        `${displayPath(path)}: element ${index}: associative list with keys has an element that omits a key field of ${type.keys.join(', ')}`,
      );
      continue;
    }
    if (seen.has(element)) findings.push(`${displayPath(path)}: duplicate entries for key ${displayPath([element])}`);
    seen.add(element);
    check(type.items ?? anything, item, [...path, element], findings);
  }
}

import { isJsonObject, type JsonObject } from '../schema/json-value.js';
import { readElement, type PathElement } from './path-element.js';
import { pathSet, type PathSet } from './path-set.js';

const self = '.';
const nothing: JsonObject = Object.freeze({});

const written = new WeakMap<PathSet, JsonObject>();

/** Serializes the set as `managedFields[].fieldsV1` with sorted keys; the same set returns the same object. */
export function writeFieldsV1(set: PathSet): JsonObject {
  const found = written.get(set) ?? write(set);
  written.set(set, found);
  return found;
}

function write(set: PathSet): JsonObject {
  const elements = [...new Set([...set.members, ...set.children.keys()])].sort();
  return Object.freeze(
    Object.fromEntries(
      elements.map((element) => {
        const child = set.children.get(element);
        // Without children, `{}` alone marks the path as a member.
        if (child === undefined) return [element, nothing];
        const below = write(child);
        return [element, set.members.has(element) ? Object.freeze({ [self]: nothing, ...below }) : below];
      }),
    ),
  );
}

/** Parses `fieldsV1`; undefined when it is malformed. */
export function readFieldsV1(fields: unknown): PathSet | undefined {
  if (!isJsonObject(fields)) return undefined;
  const members = new Set<PathElement>();
  const children = new Map<PathElement, PathSet>();
  for (const [text, below] of Object.entries(fields)) {
    if (text === self) continue;
    const element = readElement(text);
    const child = readFieldsV1(below);
    if (element === undefined || child === undefined || !isJsonObject(below)) return undefined;
    if (Object.keys(below).length === 0 || Object.hasOwn(below, self)) members.add(element);
    children.set(element, child);
  }
  return pathSet(members, children);
}

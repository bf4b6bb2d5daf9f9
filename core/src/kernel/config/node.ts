import type { Position } from '../problem.js';

/** A configuration value with the place where it was written; values made in memory have none. */
export type ConfigNode = MapNode | ListNode | ScalarNode;

export interface MapNode {
  readonly kind: 'map';
  readonly at: Position | undefined;
  readonly entries: ReadonlyMap<string, { readonly keyAt: Position | undefined; readonly node: ConfigNode }>;
}

export interface ListNode {
  readonly kind: 'list';
  readonly at: Position | undefined;
  readonly items: readonly ConfigNode[];
}

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly at: Position | undefined;
  readonly value: string | number | boolean | null;
}

/** Converts a value in memory to a node. @throws TypeError for values that no file can contain, such as functions and dates. */
export function nodeOf(value: unknown): ConfigNode {
  if (Array.isArray(value)) return { kind: 'list', at: undefined, items: value.map(nodeOf) };
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).filter(([, part]) => part !== undefined);
    return { kind: 'map', at: undefined, entries: new Map(pairs.map(([key, part]) => [key, { keyAt: undefined, node: nodeOf(part) }])) };
  }
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return { kind: 'scalar', at: undefined, value };
  }
  throw new TypeError(`a configuration cannot hold a ${typeof value}`);
}

/** Converts a node to a plain value. */
export function plainOf(node: ConfigNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plainOf);
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plainOf(entry.node)]));
}

/** Returns the node at a path of keys; undefined when there is none. */
export function nodeAt(node: ConfigNode | undefined, ...path: readonly string[]): ConfigNode | undefined {
  let found = node;
  for (const key of path) {
    if (found?.kind === 'map') found = found.entries.get(key)?.node;
    else if (found?.kind === 'list') found = found.items[Number(key)];
    else return undefined;
  }
  return found;
}

/** Returns where the longest existing part of a path was written. */
export function placeOf(node: ConfigNode, ...path: readonly string[]): Position | undefined {
  let at = node.at;
  let found: ConfigNode | undefined = node;
  for (const key of path) {
    if (found?.kind === 'map') {
      const entry = found.entries.get(key);
      at = entry?.keyAt ?? at;
      found = entry?.node;
    } else if (found?.kind === 'list') {
      found = found.items[Number(key)];
      at = found?.at ?? at;
    } else {
      break;
    }
  }
  return at;
}

/** Formats a path for messages: `a.b[0]`. */
export function pathText(path: readonly (string | number)[]): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}

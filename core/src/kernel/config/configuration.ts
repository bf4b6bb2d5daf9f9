import type { Position } from '../problem.js';
import { pathText, type ConfigNode } from './node.js';

/** A configuration value and the place where it was written. */
export interface ConfiguredValue {
  readonly path: string;
  readonly value: string | number | boolean | null | readonly [] | Readonly<Record<string, never>>;
  readonly origin: Position | undefined;
}

/** The configuration in force. */
export interface LoadedConfiguration {
  /** Absolute path; undefined for an in-memory kernel. */
  readonly file: string | undefined;
  /** Returns a section of the composition root, with defaults filled in. */
  section(name: string): unknown;
  /** Returns which file set which value, for `tappaas config show --origin`. */
  values(): readonly ConfiguredValue[];
}

/** Returns the leaves of a configuration in source order; empty maps and lists are leaves. */
export function configuredValues(node: ConfigNode, path: readonly (string | number)[] = []): readonly ConfiguredValue[] {
  if (node.kind === 'scalar') return [{ path: pathText(path), value: node.value, origin: node.at }];
  if (node.kind === 'list') {
    if (node.items.length === 0) return [{ path: pathText(path), value: [], origin: node.at }];
    return node.items.flatMap((item, n) => configuredValues(item, [...path, n]));
  }
  if (node.entries.size === 0) return [{ path: pathText(path), value: {}, origin: node.at }];
  return [...node.entries].flatMap(([key, entry]) => configuredValues(entry.node, [...path, key]));
}

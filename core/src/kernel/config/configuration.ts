import type { Position } from '../problem.js';
import { pathText, type ConfigNode } from './node.js';

/** A value of a configuration and where it was written. */
export interface ConfiguredValue {
  readonly path: string;
  readonly value: string | number | boolean | null | readonly [] | Readonly<Record<string, never>>;
  readonly origin: Position | undefined;
}

/** The configuration in force. */
export interface LoadedConfiguration {
  /** Absolute path; nothing for an in-memory kernel. */
  readonly file: string | undefined;
  /** A section of the composition root, with defaults filled in. */
  section(name: string): unknown;
  /** Which file set what, for `tappaas config show --origin`. */
  values(): readonly ConfiguredValue[];
}

/** The leaves of a configuration in the order in which they were written; empty maps and lists are leaves. */
export function configuredValues(node: ConfigNode, path: readonly (string | number)[] = []): readonly ConfiguredValue[] {
  if (node.kind === 'scalar') return [{ path: pathText(path), value: node.value, origin: node.at }];
  if (node.kind === 'list') {
    if (node.items.length === 0) return [{ path: pathText(path), value: [], origin: node.at }];
    return node.items.flatMap((item, n) => configuredValues(item, [...path, n]));
  }
  if (node.entries.size === 0) return [{ path: pathText(path), value: {}, origin: node.at }];
  return [...node.entries].flatMap(([key, entry]) => configuredValues(entry.node, [...path, key]));
}

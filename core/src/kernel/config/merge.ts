import { nodeAt, type ConfigNode, type MapNode } from './node.js';

/**
 * Merges `patch` into `base` as JSON Merge Patch (RFC 7396): maps are merged, null removes, everything else replaces. In addition, a plugin
 * instance whose `use` changes starts with an empty `config`, because the old one belongs to another plugin.
 */
export function mergeNodes(base: ConfigNode, patch: ConfigNode, path: readonly string[] = []): ConfigNode {
  if (patch.kind !== 'map') return patch;
  const below = base.kind === 'map' ? forOtherPlugin(base, patch, path) : undefined;
  const entries = new Map(below?.entries);
  for (const [key, { keyAt, node }] of patch.entries) {
    if (node.kind === 'scalar' && node.value === null) {
      entries.delete(key);
    } else {
      const known = entries.get(key)?.node ?? { kind: 'scalar', at: undefined, value: null };
      entries.set(key, { keyAt, node: mergeNodes(known, node, [...path, key]) });
    }
  }
  return { kind: 'map', at: patch.at, entries };
}

function forOtherPlugin(base: MapNode, patch: MapNode, path: readonly string[]): MapNode {
  if (path.length !== 2 || path[0] !== 'plugins') return base;
  const before = nodeAt(base, 'use');
  const after = nodeAt(patch, 'use');
  if (after?.kind !== 'scalar' || before?.kind !== 'scalar' || after.value === before.value) return base;
  const entries = new Map(base.entries);
  entries.delete('config');
  return { ...base, entries };
}

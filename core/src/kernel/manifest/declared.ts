import { tapLabel, type PluginManifest } from './manifest.js';
import type { Description } from './describe.js';

/** One registration as a line of text; equal lines are the same registration. */
type Line = string;

/** Lists everything that a plugin registers as comparable lines. */
function linesOf(described: Description): readonly Line[] {
  const { parts } = described;
  const list = <T>(what: string, items: readonly T[], label: (item: T) => string): readonly Line[] =>
    items.map((item) => `${what} ${label(item)}`);
  return [
    ...described.taps.map((tap) => `tap at ${tapLabel(tap)}${selection(tap)}`),
    ...list('service', described.provides, ({ id }) => id),
    ...list('kind', parts.kinds, ({ group, kind }) => `${group}/${kind}`),
    ...list('controller of', parts.controllers, ({ kind }) => kind),
    ...list('action', parts.actions, ({ kind, name }) => `${name} of ${kind}`),
    ...list('field', parts.fields, ({ kind, name }) => `${name} of ${kind}`),
    ...list('route', parts.routes, ({ method, path, auth }) => `${method} ${path} (${auth})`),
    ...list('engine', parts.engines, ({ name }) => name),
    ...list('column', parts.columns, ({ name }) => name),
    ...list('task', parts.tasks, ({ name, on }) => `${name} on ${on}`),
    ...parts.counters.map((name) => `counter ${name}`),
  ];
}

/** The selection of a tap is part of its declaration, including `failurePolicy`, which determines what passes on a failure. */
function selection(tap: Description['taps'][number]): string {
  const { kinds, engine, operations, sideEffects, stores, phase, conditions, failurePolicy } = tap;
  const parts = { kinds, engine, operations, sideEffects, stores, phase, conditions, failurePolicy };
  const given = Object.entries(parts).filter(([, value]) => value !== undefined);
  return given.map(([name, value]) => ` ${name}=${String(value)}`).join('');
}

/** Returns registrations that occur twice. */
export function duplicates(described: Description): Line[] {
  const counts = new Map<Line, number>();
  const taps = described.taps.map((tap) => `tap at ${tapLabel(tap)}`);
  for (const line of [...taps, ...linesOf({ ...described, taps: [] })]) counts.set(line, (counts.get(line) ?? 0) + 1);
  return [...counts].filter(([, count]) => count > 1).map(([line]) => line);
}

/** Returns registrations missing from the manifest, and entries of the manifest that were not registered. */
export function differences(
  manifest: PluginManifest,
  described: Description,
): { readonly undeclared: readonly Line[]; readonly missing: readonly Line[] } {
  const declared = new Set(linesOf(manifest));
  const registered = new Set(linesOf(described));
  return {
    undeclared: [...registered].filter((line) => !declared.has(line)),
    missing: [...declared].filter((line) => !registered.has(line)),
  };
}

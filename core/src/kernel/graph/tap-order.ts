import { renderPhases } from '@tappaas/sdk';
import { makeProblem } from '../errors.js';
import type { ManifestTap } from '../manifest/manifest.js';
import type { Position, Problem } from '../problem.js';
import type { GraphNode } from './graph-node.js';
import { cycleText, levelsOf, type Edge } from './levels.js';

/** A tap in the order of its hook. */
export interface OrderedTap {
  /** Instance id. */
  readonly plugin: string;
  readonly tap: ManifestTap;
}

/** The configured order for one hook: instances, first to last. */
export interface OrderPreference {
  readonly hook: string;
  readonly instances: readonly string[];
  readonly at: Position | undefined;
}

export interface TapOrder {
  /** The taps of all hooks; within a hook, in the order in which they are called. */
  readonly taps: readonly OrderedTap[];
  readonly problems: readonly Problem[];
}

/**
 * Orders the taps of every hook: by render phase first, then by the operator's `order` and the authors' `before` and `after`; otherwise the
 * order of the configuration is kept. A constraint of an author about an absent plugin is ignored, and noted.
 */
export function tapOrder(nodes: readonly GraphNode[], preferences: readonly OrderPreference[]): TapOrder {
  const byHook = Map.groupBy(
    nodes.flatMap((node) => node.manifest.taps.map((tap) => ({ node, tap }))),
    ({ tap }) => tap.hook,
  );
  const problems = [...ignoredPreferences(nodes)];
  const taps: OrderedTap[] = [];
  for (const [hook, atHook] of byHook) {
    const preference = preferences.find((one) => one.hook === hook);
    const phases = hook === 'reconcile.render' ? renderPhases : [undefined];
    for (const phase of phases) {
      const inPhase = atHook.filter(({ tap }) => tap.phase === phase);
      const { order, cycle } = ordered(inPhase, preference);
      taps.push(...order);
      if (cycle !== undefined) {
        const text = `the taps at ${hook} wish to stand before each other: ${cycleText(cycle)}`;
        problems.push(makeProblem('TAP_ORDER_CYCLE', `order.${hook}`, text, preference?.at ?? inPhase[0]?.node.at));
      }
    }
  }
  return { taps, problems };
}

interface PlacedTap {
  readonly node: GraphNode;
  readonly tap: ManifestTap;
}

function ordered(
  placed: readonly PlacedTap[],
  preference: OrderPreference | undefined,
): { order: readonly OrderedTap[]; cycle: readonly Edge[] | undefined } {
  const instances = [...new Set(placed.map(({ node }) => node.id))];
  const edges = [...authorEdges(placed), ...operatorEdges(preference, instances)];
  const { sequence, cycle } = stableOrder(instances, edges);
  const order = sequence.flatMap((id) => placed.filter(({ node }) => node.id === id).map(({ tap }) => ({ plugin: id, tap })));
  return { order, cycle };
}

/** Repeatedly takes the first in configuration order without a remaining predecessor, so that constraints move as little as possible. */
function stableOrder(ids: readonly string[], edges: readonly Edge[]): { sequence: readonly string[]; cycle: readonly Edge[] | undefined } {
  const sequence: string[] = [];
  const left = [...ids];
  while (left.length > 0) {
    const next = left.findIndex((id) => !edges.some(({ from, to }) => to === id && from !== id && left.includes(from)));
    if (next < 0) return { sequence: [...sequence, ...left], cycle: levelsOf(left, edges).cycle };
    sequence.push(...left.splice(next, 1));
  }
  return { sequence, cycle: undefined };
}

function authorEdges(placed: readonly PlacedTap[]): readonly Edge[] {
  const instancesOf = (plugin: string) => placed.filter(({ node }) => node.manifest.id === plugin).map(({ node }) => node.id);
  return placed.flatMap(({ node, tap }) => [
    ...(tap.before ?? []).flatMap((plugin) =>
      instancesOf(plugin).map((to) => ({ from: node.id, to, because: `${node.id} says before ${plugin}` })),
    ),
    ...(tap.after ?? []).flatMap((plugin) =>
      instancesOf(plugin).map((from) => ({ from, to: node.id, because: `${node.id} says after ${plugin}` })),
    ),
  ]);
}

function operatorEdges(preference: OrderPreference | undefined, instances: readonly string[]): readonly Edge[] {
  const named = (preference?.instances ?? []).filter((id) => instances.includes(id));
  return named.slice(1).map((to, n) => ({ from: named[n] ?? '', to, because: `order.${preference?.hook ?? ''}` }));
}

function ignoredPreferences(nodes: readonly GraphNode[]): readonly Problem[] {
  const loaded = new Set(nodes.map(({ manifest }) => manifest.id));
  return nodes.flatMap((node) =>
    node.manifest.taps.flatMap((tap) =>
      [...(tap.before ?? []), ...(tap.after ?? [])]
        .filter((plugin) => !loaded.has(plugin))
        .map((plugin) =>
          makeProblem(
            'TAP_ORDER_IGNORED',
            `plugins.${node.id}`,
            `its wish about plugin ${plugin} at ${tap.hook} has no effect`,
            node.at,
            'note',
          ),
        ),
    ),
  );
}

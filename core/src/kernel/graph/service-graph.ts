import { families } from '@tappaas/sdk';
import { makeProblem } from '../errors.js';
import { didYouMean } from '../config/nearest-name.js';
import type { ManifestNeed } from '../manifest/manifest.js';
import type { Problem } from '../problem.js';
import type { GivenProvider, GraphNode } from './graph-node.js';
import { cycleText, levelsOf, type Edge } from './levels.js';

export interface ServiceGraph {
  /** Instance ids, level by level in start order. */
  readonly levels: readonly (readonly string[])[];
  readonly problems: readonly Problem[];
}

/** Determines the start order, and whether every need is met by exactly one provider. */
export function serviceGraph(nodes: readonly GraphNode[], given: readonly GivenProvider[] = []): ServiceGraph {
  const problems = [...twoOwners(nodes, given)];
  const edges: Edge[] = [];
  for (const node of nodes) {
    for (const need of node.manifest.needs) {
      const providers = nodes.filter((other) => other.id !== node.id && other.manifest.provides.some(({ id }) => id === need.id));
      problems.push(...needProblems(node, need, providers, nodes, given));
      edges.push(...providers.map(({ id }) => ({ from: id, to: node.id, because: `needs ${need.id}` })));
    }
    for (const store of node.stores) edges.push({ from: store, to: node.id, because: 'has a secret in that store' });
  }
  const ids = nodes.map(({ id }) => id);
  const { levels, cycle } = levelsOf(ids, [...edges, ...storeFirst(nodes, edges)]);
  if (cycle !== undefined) {
    const at = nodes.find(({ id }) => id === cycle[0]?.to)?.at;
    problems.push(
      makeProblem('TAP_GRAPH_CYCLE', `plugins.${cycle[0]?.to ?? ''}`, `the plugins wait for each other: ${cycleText(cycle)}`, at),
    );
  }
  return { levels, problems };
}

function needProblems(
  node: GraphNode,
  need: ManifestNeed,
  providers: readonly GraphNode[],
  nodes: readonly GraphNode[],
  given: readonly GivenProvider[],
): readonly Problem[] {
  const path = `plugins.${node.id}`;
  if (providers.length === 0 && !need.optional && !given.some(({ id }) => id === need.id)) {
    const provided = nodes.flatMap(({ manifest }) => manifest.provides.map(({ id }) => id));
    const message = `plugin ${node.manifest.id} needs service ${need.id}, which no plugin provides${didYouMean(need.id, provided)}`;
    return [makeProblem('TAP_GRAPH_UNMET', path, message, node.at)];
  }
  return providers.flatMap((provider) =>
    provider.manifest.provides
      .filter(({ id, contract }) => id === need.id && contract !== need.contract)
      .map(({ contract }) => {
        const message = `plugin ${node.manifest.id} needs version ${need.contract} of service ${need.id}, ${provider.id} provides version ${contract}`;
        return makeProblem('TAP_GRAPH_CONTRACT', path, message, node.at);
      }),
  );
}

/**
 * Finds services with several owners. Stores are a keyed family by contract, but a platform may have only one: its data would be in
 * whichever opens first.
 */
function twoOwners(nodes: readonly GraphNode[], given: readonly GivenProvider[]): readonly Problem[] {
  const owners = new Map<string, string>(
    given.filter(({ id, key }) => key === undefined || isStore({ id })).map(({ id }) => [id, 'the platform']),
  );
  return nodes.flatMap((node) =>
    node.manifest.provides
      .filter((service) => service.arity === 'one' || isStore(service))
      .flatMap(({ id }) => {
        const owner = owners.get(id);
        owners.set(id, owner ?? node.id);
        if (owner === undefined) return [];
        return [makeProblem('TAP_GRAPH_TWO_OWNERS', `plugins.${node.id}`, `service ${id} is already provided by ${owner}`, node.at)];
      }),
  );
}

const isStore = ({ id }: { readonly id: string }): boolean => id === families.store.id;

/** Adds edges so that the store, which holds the platform's data, starts before everything that it does not depend on itself. */
function storeFirst(nodes: readonly GraphNode[], edges: readonly Edge[]): readonly Edge[] {
  const stores = nodes.filter(({ manifest }) => manifest.provides.some(isStore)).map(({ id }) => id);
  const before = new Set(stores);
  for (let size = -1; size !== before.size;) {
    size = before.size;
    for (const { from, to } of edges) if (before.has(to)) before.add(from);
  }
  const others = nodes.filter(({ id }) => !before.has(id));
  return stores.flatMap((store) => others.map(({ id }) => ({ from: store, to: id, because: 'starts after the store' })));
}

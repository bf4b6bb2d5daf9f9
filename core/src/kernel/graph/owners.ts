import { makeProblem } from '../errors.js';
import { instancePlaceholder } from '../manifest/manifest.js';
import type { Problem } from '../problem.js';
import type { GraphNode } from './graph-node.js';

/** Finds things that may have only one owner but have several; runs before any plugin code. */
export function doubleOwners(nodes: readonly GraphNode[]): readonly Problem[] {
  const owners = new Map<string, string>();
  return nodes.flatMap((node) =>
    ownedBy(node).flatMap((thing) => {
      const owner = owners.get(thing);
      owners.set(thing, owner ?? node.id);
      if (owner === undefined) return [];
      return [makeProblem('TAP_GRAPH_TWO_OWNERS', `plugins.${node.id}`, `${thing} already belongs to ${owner}`, node.at)];
    }),
  );
}

function ownedBy({ id, manifest }: GraphNode): readonly string[] {
  const named = (name: string): string => (name === instancePlaceholder ? id : name);
  const engineOf = (engine: string | undefined): string => (engine === undefined ? '' : ` on engine ${named(engine)}`);
  const { kinds, engines, controllers, actions, fields, columns } = manifest.parts;
  return [
    ...kinds.map(({ group, kind }) => `kind ${group}/${kind}`),
    ...engines.map(({ name }) => `engine ${named(name)}`),
    ...controllers.filter(({ renders }) => renders).map(({ kind, engine }) => `rendering of ${kind}${engineOf(engine)}`),
    ...actions.map(({ kind, name }) => `action ${name} of ${kind}`),
    ...fields.map(({ kind, name }) => `field ${name} of ${kind}`),
    ...columns.map(({ name }) => `column ${name}`),
    ...manifest.taps.flatMap(({ conditions = [], kinds: of = [], engine }) =>
      conditions.flatMap((condition) => of.map((kind) => `condition ${condition} of ${kind}${engineOf(engine)}`)),
    ),
  ];
}

import { placeOf, type ConfigNode } from '../config/node.js';
import { makeProblem } from '../errors.js';
import type { GivenProvider } from '../graph/graph-node.js';
import type { PluginManifest } from '../manifest/manifest.js';
import type { Problem } from '../problem.js';
import type { InstancePlan, OffInstance } from './instance-plan.js';

interface Configured {
  readonly root: ConfigNode;
  readonly requires: readonly string[];
  readonly given: readonly GivenProvider[];
  readonly instances: readonly InstancePlan[];
  readonly off: readonly OffInstance[];
}

/** Reports required services without a provider, naming a disabled instance that could provide them. */
export function unprovided({ root, requires, given, instances, off }: Configured): readonly Problem[] {
  return requires.flatMap((service) => {
    const provides = (manifest: PluginManifest | undefined): boolean => manifest?.provides.some(({ id }) => id === service) ?? false;
    if (given.some(({ id }) => id === service) || instances.some(({ manifest }) => provides(manifest))) return [];
    const sleeping = off.find(({ manifest }) => provides(manifest))?.id;
    const why = sleeping === undefined ? 'which no plugin provides' : `and plugin ${sleeping}, which provides it, is turned off`;
    const path = sleeping === undefined ? ['plugins'] : ['plugins', sleeping, 'mode'];
    return [makeProblem('TAP_GRAPH_UNMET', path.join('.'), `the platform needs service ${service}, ${why}`, placeOf(root, ...path))];
  });
}

import type { PodClass } from '@tappaas/sdk';
import type { NodeTable } from './node-table.js';
import { nodePreferenceOf } from './node-selection.js';
import type { SchedulingClass } from './pod-class.js';
import type { ScoreScale } from './taps.js';
import { avoidedTaints } from './toleration.js';

/** Scores nodes for a class: a plugin's tap or a built-in preference. */
export interface ScoreSource {
  readonly plugin: string;
  readonly weight: number;
  readonly scale: ScoreScale;
  /** Changes with the pods of a node, not only with the node. */
  readonly dynamic: boolean;
  ask(pod: PodClass, slots: Int32Array, count: number): Int32Array;
}

/** The default weights of kube-scheduler. */
const affinityWeight = 2;
const taintWeight = 3;

/** Returns the built-in preferences that apply to a class. */
export function preferencesOf({ pod }: SchedulingClass, table: NodeTable): readonly ScoreSource[] {
  const preference = nodePreferenceOf(pod.spec);
  const avoided = avoidedTaints(pod.spec.tolerations ?? []);
  const affinity =
    preference &&
    perNode('kernel.node-affinity', affinityWeight, 'more-is-better', (slot) => {
      const facts = table.facts(slot);
      return facts ? preference(facts) : 0;
    });
  const taints = perNode('kernel.taints', taintWeight, 'less-is-better', (slot) => {
    const facts = table.facts(slot);
    return facts ? avoided(facts) : 0;
  });
  return affinity ? [taints, affinity] : [taints];
}

function perNode(plugin: string, weight: number, scale: ScoreScale, score: (slot: number) => number): ScoreSource {
  return {
    plugin,
    weight,
    scale,
    dynamic: false,
    ask(_, slots, count) {
      const out = new Int32Array(count);
      for (let i = 0; i < count; i++) out[i] = score(slots[i] ?? 0);
      return out;
    },
  };
}

import * as fc from 'fast-check';
import type { Node, NodeSelectorRequirement, Pod, Toleration } from '@tappaas/sdk';
import type { OracleNode, OraclePod, OracleRequirement } from './oracle.ts';
import { makeNode, makePod } from './world.ts';

const mebibyte = 1024 ** 2;
const gpu = 'example.com/gpu';

export type Step =
  | { readonly kind: 'pods'; readonly pods: readonly Omit<OraclePod, 'name'>[] }
  | { readonly kind: 'delete-pod'; readonly index: number }
  | { readonly kind: 'node'; readonly node: OracleNode }
  | { readonly kind: 'delete-node'; readonly index: number }
  | { readonly kind: 'cost'; readonly index: number; readonly cost: number };

export interface ScoreChoice {
  readonly score: 'free-cpu' | 'least-allocated' | 'cost' | 'pods';
  readonly scale: 'points' | 'more-is-better' | 'less-is-better';
  readonly weight: number;
  readonly everyPod: boolean;
}

export interface FilterChoice {
  readonly filter: 'cheap' | 'keep-memory' | 'big-nodes';
  readonly everyPod: boolean;
}

export interface RandomCase {
  /** There from the start; many of them make the table grow. */
  readonly nodes: readonly OracleNode[];
  readonly steps: readonly (readonly Step[])[];
  readonly scores: readonly ScoreChoice[];
  readonly filters: readonly FilterChoice[];
}

const keys = ['zone', 'disk', 'rank'] as const;
const labelValue = fc.constantFrom('1', '2', '3');
const labels = fc.dictionary(fc.constantFrom(...keys), labelValue, { maxKeys: 3 });
const requirement: fc.Arbitrary<OracleRequirement> = fc.record({
  key: fc.constantFrom(...keys),
  operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'),
  values: fc.array(labelValue, { minLength: 1, maxLength: 2 }),
});
const taintKey = fc.constantFrom('dedicated', 'spot', 'old');
const seldom = <T>(value: fc.Arbitrary<T>, otherwise: T) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(otherwise) }, { weight: 1, arbitrary: value });

const node: fc.Arbitrary<OracleNode> = fc.record({
  name: fc.oneof({ weight: 4, arbitrary: fc.nat(7) }, { weight: 1, arbitrary: fc.nat(40) }).map((n) => `n${n}`),
  allocatable: fc.record({
    cpu: fc.constantFrom(1000, 2000, 4000),
    memory: fc.constantFrom(1024 * mebibyte, 4096 * mebibyte),
    [gpu]: seldom(fc.constantFrom(1, 2), 0),
  }),
  pods: fc.constantFrom(1, 2, 110),
  labels,
  taints: seldom(
    fc.uniqueArray(fc.record({ key: taintKey, effect: fc.constantFrom('NoSchedule', 'NoExecute', 'PreferNoSchedule') }), {
      maxLength: 2,
      selector: ({ key }) => key,
    }),
    [],
  ),
  unschedulable: seldom(fc.boolean(), false),
});

const pod: fc.Arbitrary<Omit<OraclePod, 'name'>> = fc.record({
  priority: seldom(fc.constantFrom(0, 100), 0),
  requests: fc.record({
    cpu: fc.constantFrom(0, 100, 250, 500, 1500),
    memory: fc.constantFrom(0, 64 * mebibyte, 512 * mebibyte),
    [gpu]: seldom(fc.constant(1), 0),
  }),
  selector: seldom(labels, {}),
  terms: seldom<OraclePod['terms']>(fc.array(fc.array(requirement, { maxLength: 2 }), { minLength: 1, maxLength: 2 }), undefined),
  preferred: seldom(
    fc.array(fc.record({ weight: fc.integer({ min: 1, max: 100 }), requirements: fc.array(requirement, { maxLength: 2 }) }), {
      maxLength: 2,
    }),
    [],
  ),
  tolerated: seldom(fc.uniqueArray(fc.oneof(taintKey, fc.constant('node.kubernetes.io/unschedulable')), { maxLength: 2 }), []),
  hostPorts: seldom(fc.uniqueArray(fc.constantFrom(80, 443), { maxLength: 2 }), []),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('pods' as const), pods: fc.array(pod, { minLength: 1, maxLength: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('node' as const), node }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete-pod' as const), index: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete-node' as const), index: fc.nat(7) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('cost' as const), index: fc.nat(7), cost: fc.constantFrom(1, 2, 50, Number.NaN) }),
  },
);

const everyPod = seldom(fc.boolean(), false);

export const randomCase: fc.Arbitrary<RandomCase> = fc.record({
  nodes: seldom(fc.array(node, { maxLength: 40 }), []),
  steps: fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 }),
  scores: fc.array(
    fc.record({
      score: fc.constantFrom('free-cpu', 'least-allocated', 'cost', 'pods'),
      scale: fc.constantFrom('points', 'more-is-better', 'less-is-better'),
      weight: fc.nat(3),
      everyPod,
    }),
    { maxLength: 3 },
  ),
  filters: fc.array(fc.record({ filter: fc.constantFrom('cheap', 'keep-memory', 'big-nodes'), everyPod }), { maxLength: 2 }),
});

/** The node as Kubernetes writes it. */
export function toNode({ name, allocatable, pods, labels, taints, unschedulable }: OracleNode): Node {
  const { cpu = 0, memory = 0, [gpu]: gpus = 0 } = allocatable;
  const made = makeNode(name, {
    cpu: cpu % 2000 === 0 ? String(cpu / 1000) : `${cpu}m`,
    memory: memory % 1024 ** 3 === 0 ? `${memory / 1024 ** 3}Gi` : String(memory),
    pods,
    more: gpus > 0 ? { [gpu]: String(gpus) } : {},
    taints,
    unschedulable,
  });
  return { ...made, metadata: { name, labels: { ...labels } } };
}

/** The pod as Kubernetes writes it; part of what it asks for stands in an init container, in the overhead or in a limit. */
export function toPod(pod: OraclePod, index: number): Pod {
  const { cpu = 0, memory = 0, [gpu]: gpus = 0 } = pod.requests;
  const { preferred, terms } = pod;
  const inOverhead = index % 3 === 0;
  const initBigger = index % 3 === 1;
  const made = makePod(pod.name, {
    priority: pod.priority,
    spec: {
      containers: [
        {
          name: 'main',
          image: 'app',
          ports: pod.hostPorts.map((port) => ({ containerPort: port, hostPort: port })),
          resources: {
            requests: { cpu: initBigger ? '1m' : `${cpu / 1000}` },
            limits: { memory: inOverhead ? '0' : `${memory / mebibyte}Mi`, ...(gpus > 0 && { [gpu]: gpus }) },
          },
        },
      ],
      ...(initBigger && { initContainers: [{ name: 'init', image: 'app', resources: { requests: { cpu: `${Math.max(1, cpu)}m` } } }] }),
      ...(inOverhead && { overhead: { memory: String(memory) } }),
      nodeSelector: { ...pod.selector },
      tolerations: pod.tolerated.map((key): Toleration => ({ key, operator: 'Exists' })),
      affinity: {
        nodeAffinity: {
          ...(terms && {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: terms.map((term) => ({ matchExpressions: term.map(toRequirement) })),
            },
          }),
          preferredDuringSchedulingIgnoredDuringExecution: preferred.map(({ weight, requirements }) => ({
            weight,
            preference: { matchExpressions: requirements.map(toRequirement) },
          })),
        },
      },
    },
  });
  return made;
}

/** What {@link toPod} makes of a request of no cpu: the init container asks for the least there is. */
export function asRequested(pod: OraclePod, index: number): OraclePod {
  const cpu = pod.requests['cpu'] ?? 0;
  return index % 3 === 1 ? { ...pod, requests: { ...pod.requests, cpu: Math.max(1, cpu) } } : pod;
}

function toRequirement({ key, operator, values }: OracleRequirement): NodeSelectorRequirement {
  return operator === 'Exists' || operator === 'DoesNotExist' ? { key, operator } : { key, operator, values: [...values] };
}

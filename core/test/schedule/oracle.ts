/**
 * A scheduler that is slow and obviously correct: for every pod it looks at every node from scratch, in plain numbers, and remembers
 * nothing but which pod is where. The real one must agree with it on every placement.
 */
export interface OracleNode {
  readonly name: string;
  readonly allocatable: Readonly<Record<string, number>>;
  readonly pods: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly { readonly key: string; readonly effect: 'NoSchedule' | 'NoExecute' | 'PreferNoSchedule' }[];
  readonly unschedulable: boolean;
}

export interface OracleRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
  readonly values: readonly string[];
}

export interface OraclePod {
  readonly name: string;
  readonly priority: number;
  readonly requests: Readonly<Record<string, number>>;
  readonly selector: Readonly<Record<string, string>>;
  /** Any of the terms, each of which is all of its requirements. */
  readonly terms: readonly (readonly OracleRequirement[])[] | undefined;
  readonly preferred: readonly { readonly weight: number; readonly requirements: readonly OracleRequirement[] }[];
  readonly tolerated: readonly string[];
  readonly hostPorts: readonly number[];
}

/** What a tap sees of a node. */
export interface OracleView {
  readonly free: (resource: string) => number;
  readonly allocatable: (resource: string) => number;
  readonly podsFree: number;
  readonly cost: number;
}

export interface OracleTaps {
  readonly filters: readonly ((pod: OraclePod, view: OracleView) => boolean)[];
  readonly scores: readonly {
    readonly weight: number;
    readonly scale: 'points' | 'more-is-better' | 'less-is-better';
    readonly score: (pod: OraclePod, view: OracleView) => number;
  }[];
  /** Nodes without a cost take no pod. */
  readonly readsCost: boolean;
}

export class Oracle {
  readonly nodes = new Map<string, OracleNode>();
  readonly costs = new Map<string, number>();
  readonly placed = new Map<string, { readonly pod: OraclePod; readonly node: string }>();
  waiting: OraclePod[] = [];
  readonly #taps: OracleTaps;

  constructor(taps: OracleTaps) {
    this.#taps = taps;
  }

  delete(name: string): void {
    this.placed.delete(name);
    this.waiting = this.waiting.filter((pod) => pod.name !== name);
  }

  /** Tries every waiting pod once: higher priority first, then the order of arrival. */
  settle(): void {
    for (const pod of [...this.waiting].sort((a, b) => b.priority - a.priority)) {
      const node = this.choose(pod);
      if (node === undefined) continue;
      this.placed.set(pod.name, { pod, node });
      this.waiting = this.waiting.filter((other) => other !== pod);
    }
  }

  choose(pod: OraclePod): string | undefined {
    const totals = this.totals(pod);
    const best = Math.max(...totals.values());
    return [...totals]
      .filter(([, total]) => total === best)
      .map(([name]) => name)
      .sort()[0];
  }

  /** What each feasible node scores. */
  totals(pod: OraclePod): ReadonlyMap<string, number> {
    const feasible = [...this.nodes.values()].filter((node) => this.accepts(pod, node));
    const totals = new Map(feasible.map((node) => [node.name, 0]));
    const add = (weight: number, points: readonly number[]) =>
      feasible.forEach(({ name }, i) => totals.set(name, (totals.get(name) ?? 0) + weight * (points[i] ?? 0)));
    for (const { weight, scale, score } of this.#taps.scores)
      add(
        weight,
        stretched(
          scale,
          feasible.map((node) => score(pod, this.view(node))),
        ),
      );
    add(
      3,
      stretched(
        'less-is-better',
        feasible.map((node) => avoided(pod, node)),
      ),
    );
    if (pod.preferred.length > 0)
      add(
        2,
        stretched(
          'more-is-better',
          feasible.map((node) => preference(pod, node)),
        ),
      );
    return totals;
  }

  accepts(pod: OraclePod, node: OracleNode): boolean {
    const view = this.view(node);
    return (
      this.fits(pod, node) &&
      Object.entries(pod.selector).every(([key, value]) => node.labels[key] === value) &&
      (pod.terms === undefined || pod.terms.some((term) => term.length > 0 && term.every((requirement) => matches(requirement, node)))) &&
      (!node.unschedulable || pod.tolerated.includes('node.kubernetes.io/unschedulable')) &&
      node.taints.every(({ key, effect }) => effect === 'PreferNoSchedule' || pod.tolerated.includes(key)) &&
      !(this.#taps.readsCost && Number.isNaN(view.cost)) &&
      this.#taps.filters.every((accepts) => accepts(pod, view))
    );
  }

  fits(pod: OraclePod, node: OracleNode): boolean {
    const view = this.view(node);
    const taken = this.on(node.name).flatMap(({ hostPorts }) => hostPorts);
    return (
      view.podsFree >= 1 &&
      Object.entries(pod.requests).every(([resource, amount]) => amount === 0 || view.free(resource) >= amount) &&
      pod.hostPorts.every((port) => !taken.includes(port))
    );
  }

  view(node: OracleNode): OracleView {
    const pods = this.on(node.name);
    const allocatable = (resource: string) => node.allocatable[resource] ?? 0;
    const requested = (resource: string) => pods.reduce((sum, { requests }) => sum + (requests[resource] ?? 0), 0);
    return {
      allocatable,
      free: (resource) => allocatable(resource) - requested(resource),
      podsFree: node.pods - pods.length,
      cost: this.costs.get(node.name) ?? Number.NaN,
    };
  }

  on(node: string): readonly OraclePod[] {
    return [...this.placed.values()].filter((placed) => placed.node === node).map(({ pod }) => pod);
  }
}

function stretched(scale: OracleTaps['scores'][number]['scale'], values: readonly number[]): readonly number[] {
  const [min, max] = [Math.min(...values), Math.max(...values)];
  return values.map((value) => {
    if (scale === 'points') return value >= 0 && value <= 100 ? value : 0;
    if (min === max) return 100;
    return Math.floor(((scale === 'more-is-better' ? value - min : max - value) * 100) / (max - min));
  });
}

function avoided(pod: OraclePod, node: OracleNode): number {
  return node.taints.filter(({ key, effect }) => effect === 'PreferNoSchedule' && !pod.tolerated.includes(key)).length;
}

function preference(pod: OraclePod, node: OracleNode): number {
  const matching = pod.preferred.filter(({ requirements }) => requirements.length > 0 && requirements.every((one) => matches(one, node)));
  return matching.reduce((sum, { weight }) => sum + weight, 0);
}

function matches({ key, operator, values }: OracleRequirement, { labels }: OracleNode): boolean {
  const label = labels[key];
  if (operator === 'Exists') return label !== undefined;
  if (operator === 'DoesNotExist') return label === undefined;
  if (operator === 'NotIn') return label === undefined || !values.includes(label);
  if (label === undefined) return false;
  if (operator === 'In') return values.includes(label);
  const difference = Number.parseInt(label, 10) - Number.parseInt(values[0] ?? '', 10);
  return operator === 'Gt' ? difference > 0 : difference < 0;
}

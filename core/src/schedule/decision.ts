import type { RetryOn } from '@tappaas/sdk';

/** The pod a decision is about. */
export interface PodName {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** The value of its instance label; together with the namespace it identifies an application. */
  readonly instance?: string;
}

export interface Refusal {
  readonly plugin: string;
  readonly message: string;
  /** Number of nodes refused for this reason. */
  readonly nodes: number;
}

export interface ScorePart {
  readonly plugin: string;
  readonly points: number;
  readonly weight: number;
}

export interface ScoredNode {
  readonly node: string;
  /** Sum of points times weight. */
  readonly total: number;
  readonly parts: readonly ScorePart[];
}

/** The decision about one pod, and its reasons. */
export interface Decision {
  readonly pod: PodName;
  readonly atMs: number;
  readonly attempt: number;
  readonly outcome: 'placed' | 'unschedulable' | 'failed';
  readonly nodes: number;
  readonly feasibleNodes: number;
  readonly refused: readonly Refusal[];
  /** The chosen node. */
  readonly chosen?: ScoredNode | undefined;
  /** The runner-up node; ties go to the lower name. */
  readonly next?: ScoredNode | undefined;
  /** Without a node: the reason in one sentence. `retryOn` lists the changes that cause another attempt. */
  readonly message?: string | undefined;
  readonly retryOn: readonly RetryOn[];
  /** Set by a postFilter step: these pods are evicted to make room on `node`. */
  readonly evicting?: { readonly node: string; readonly pods: readonly PodName[] };
}

/** The last `decisionsMax` decisions in a ring buffer, indexed by pod. */
export class DecisionLog {
  readonly #ring: Decision[] = [];
  readonly #latest = new Map<string, Decision>();
  readonly #decisionsMax: number;
  #next = 0;

  constructor(decisionsMax: number) {
    this.#decisionsMax = decisionsMax;
  }

  add(decision: Decision): void {
    const overwritten = this.#ring[this.#next];
    if (overwritten !== undefined && this.#latest.get(overwritten.pod.uid) === overwritten) this.#latest.delete(overwritten.pod.uid);
    this.#ring[this.#next] = decision;
    this.#latest.set(decision.pod.uid, decision);
    this.#next = (this.#next + 1) % this.#decisionsMax;
  }

  /** Returns the latest decision about a pod. */
  get(uid: string): Decision | undefined {
    return this.#latest.get(uid);
  }

  /** Returns decisions, latest first. */
  latest(decisionsMax: number): readonly Decision[] {
    const inOrder = [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
    return inOrder.slice(-decisionsMax).toReversed();
  }
}

/** Formats refusals, most frequent first: `0 of 3 nodes can take the pod: 2 too little cpu is free (fit), 1 …`. */
export function refusalText(nodes: number, refused: readonly Refusal[]): string {
  if (nodes === 0) return 'there is no node';
  const counted = [...refused]
    .sort((a, b) => b.nodes - a.nodes || (a.message < b.message ? -1 : 1))
    .map(({ nodes, message, plugin }) => `${nodes} ${message} (${plugin})`);
  return `0 of ${nodes} nodes can take the pod${counted.length > 0 ? `: ${counted.join(', ')}` : ''}`;
}

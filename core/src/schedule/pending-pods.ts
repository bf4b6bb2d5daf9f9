import type { Immutable, Pod, RetryOn } from '@tappaas/sdk';
import { backoffMs, type BackoffOptions } from './backoff.js';
import { Heap, type HeapItem } from './heap.js';
import type { SchedulingClass } from './pod-class.js';

/** A pod without a node. */
export interface PendingPod extends HeapItem {
  readonly uid: string;
  pod: Immutable<Pod>;
  cls: SchedulingClass;
  /** Its class from the next attempt on, if the pod changed while cycling. */
  nextCls: SchedulingClass | undefined;
  readonly sequence: number;
  /**
   * gated: excluded from the queue; active: to be tried; resting: waits for `dueMs`; parked: waits for an event or `dueMs`;
   * cycling: being placed or bound.
   */
  state: 'gated' | 'active' | 'resting' | 'parked' | 'cycling';
  attempts: number;
  dueMs: number;
  restsUntilMs: number;
  retryOn: readonly RetryOn[];
  /** The pod was deleted or seen on a node; work in progress on it must stop. */
  dropped: boolean;
  /** Ends a wait of its permit step. */
  abort: AbortController | undefined;
  /** The node on which other pods are being evicted in its favor; the pod already counts there. */
  nominated: { readonly node: string; readonly untilMs: number } | undefined;
  /** The last message reported to its owner, so that it is not repeated each time. */
  reported: { readonly message: string; readonly atMs: number } | undefined;
}

export interface PendingOptions {
  readonly podsMax: number;
  /** A parked pod is retried after this time even without an event. */
  readonly parkedMsMax: number;
  readonly backoff: BackoffOptions;
  readonly random: () => number;
  /** Called when pods have been refused and half of the room is free again. */
  readonly onRoom: () => void;
}

/** Pods without a node: the order of attempts, resting pods, and parked pods with the events they wait for. */
export class PendingPods {
  readonly #options: PendingOptions;
  readonly #pods = new Map<string, PendingPod>();
  /** Higher priority first, then in order of arrival. */
  readonly #active = new Heap<PendingPod>(
    (a, b) => a.cls.pod.priority - b.cls.pod.priority > 0 || (a.cls.pod.priority === b.cls.pod.priority && a.sequence < b.sequence),
  );
  readonly #timed = new Heap<PendingPod>((a, b) => a.dueMs < b.dueMs);
  readonly #parked = new Map<SchedulingClass, Set<PendingPod>>();
  readonly #toProbe = new Set<SchedulingClass>();
  readonly #unheard = new Set<RetryOn>();
  readonly #lastEvent = new Map<RetryOn, number>();
  #events = 0;
  #sequence = 0;
  #refused = false;

  constructor(options: PendingOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#pods.size;
  }
  get activePods(): number {
    return this.#active.size;
  }
  /** Number of the latest event; pass it to {@link park} so that no event in between is missed. */
  get events(): number {
    return this.#events;
  }
  /** Time at which the next pod is due without an event, in milliseconds. */
  get nextDueMs(): number {
    return this.#timed.first?.dueMs ?? Infinity;
  }
  get hasProbes(): boolean {
    return this.#toProbe.size > 0 || (this.#unheard.size > 0 && this.#parked.size > 0);
  }
  get(uid: string): PendingPod | undefined {
    return this.#pods.get(uid);
  }

  /** Adds a pod, gated; returns undefined when there is no room. */
  add(uid: string, pod: Immutable<Pod>, cls: SchedulingClass): PendingPod | undefined {
    if (this.#pods.size >= this.#options.podsMax) {
      this.#refused = true;
      return undefined;
    }
    const sequence = this.#sequence++;
    const pending: PendingPod = {
      heapAt: -1,
      uid,
      pod,
      cls,
      nextCls: undefined,
      sequence,
      state: 'gated',
      attempts: 0,
      dueMs: 0,
      restsUntilMs: 0,
      retryOn: [],
      dropped: false,
      abort: undefined,
      nominated: undefined,
      reported: undefined,
    };
    this.#pods.set(uid, pending);
    return pending;
  }

  remove(pending: PendingPod): void {
    this.#withdraw(pending);
    pending.dropped = true;
    pending.abort?.abort();
    if (this.#pods.get(pending.uid) === pending) this.#pods.delete(pending.uid);
    if (!this.#refused || this.#pods.size > this.#options.podsMax / 2) return;
    this.#refused = false;
    this.#options.onRoom();
  }

  /** Updates a changed pod. If its class changed, it waits nowhere until it is activated or gated. */
  replace(pending: PendingPod, pod: Immutable<Pod>, cls: SchedulingClass): void {
    pending.pod = pod;
    if (pending.state === 'cycling') pending.nextCls = cls;
    else if (pending.cls !== cls) {
      this.#withdraw(pending);
      pending.cls = cls;
    }
  }

  /** Takes the next pod to try. */
  take(): PendingPod | undefined {
    const pending = this.#active.pop();
    if (pending !== undefined) pending.state = 'cycling';
    return pending;
  }

  /** Makes a pod eligible for an attempt immediately. */
  activate(pending: PendingPod): void {
    this.#withdraw(pending);
    pending.state = 'active';
    this.#active.push(pending);
  }

  /** Excludes a pod from the queue until `dueMs`, or without it until the pod is activated. */
  gate(pending: PendingPod, dueMs?: number): void {
    this.#withdraw(pending);
    pending.state = 'gated';
    if (dueMs !== undefined) this.#time(pending, dueMs);
  }

  /** After a failed attempt that no event can resolve: retries once the pod has rested. */
  rest(pending: PendingPod, nowMs: number): void {
    this.#withdraw(pending);
    this.#countAttempt(pending, nowMs);
    pending.state = 'resting';
    this.#time(pending, pending.restsUntilMs);
  }

  /** After no node was found: retries when one of `retryOn` happens (or has happened since event `since`), or at `againMs`. */
  park(
    pending: PendingPod,
    retryOn: readonly RetryOn[],
    since: number,
    nowMs: number,
    againMs: number = nowMs + this.#options.parkedMsMax,
  ): void {
    const changed = pending.nextCls !== undefined;
    this.#withdraw(pending);
    this.#countAttempt(pending, nowMs);
    pending.state = 'parked';
    pending.retryOn = retryOn;
    this.#time(pending, againMs);
    const group = this.#parked.get(pending.cls);
    if (group === undefined) this.#parked.set(pending.cls, new Set([pending]));
    else group.add(pending);
    if (changed || retryOn.some((event) => (this.#lastEvent.get(event) ?? 0) > since)) this.#toProbe.add(pending.cls);
  }

  /** Records an event; classes that wait for it will be probed. */
  happened(event: RetryOn): void {
    this.#lastEvent.set(event, ++this.#events);
    this.#unheard.add(event);
  }

  /** Probes all classes after a change that no event describes, such as that of the taps themselves. */
  probeAll(): void {
    for (const cls of this.#parked.keys()) this.#toProbe.add(cls);
  }

  all(): Iterable<PendingPod> {
    return this.#pods.values();
  }

  /** Takes a class whose parked pods may be placeable now. */
  takeProbe(): SchedulingClass | undefined {
    this.#hear();
    for (const cls of this.#toProbe) {
      this.#toProbe.delete(cls);
      return cls;
    }
    return undefined;
  }

  /** A probed class is still not placeable: its parked pods now wait for other events. */
  waitFor(cls: SchedulingClass, retryOn: readonly RetryOn[]): void {
    for (const pending of this.#parked.get(cls) ?? []) pending.retryOn = retryOn;
  }

  /** Makes the parked pods of a class eligible again, each once it has rested. */
  unpark(cls: SchedulingClass, nowMs: number): void {
    for (const pending of this.#parked.get(cls) ?? []) {
      if (pending.restsUntilMs <= nowMs) this.activate(pending);
      else {
        this.#withdraw(pending);
        pending.state = 'resting';
        this.#time(pending, pending.restsUntilMs);
      }
    }
  }

  /** Takes the pods whose time has come. */
  due(nowMs: number): readonly PendingPod[] {
    const due: PendingPod[] = [];
    while ((this.#timed.first?.dueMs ?? Infinity) <= nowMs) {
      const pending = this.#timed.first;
      if (pending === undefined) break;
      this.#withdraw(pending);
      due.push(pending);
    }
    return due;
  }

  /** Finds the classes that wait for recorded events; done once for many events, since there may be many classes. */
  #hear(): void {
    if (this.#unheard.size === 0) return;
    for (const [cls, group] of this.#parked) {
      for (const { retryOn } of group) {
        if (!retryOn.some((event) => this.#unheard.has(event))) continue;
        this.#toProbe.add(cls);
        break;
      }
    }
    this.#unheard.clear();
  }

  #countAttempt(pending: PendingPod, nowMs: number): void {
    pending.attempts++;
    pending.cls = pending.nextCls ?? pending.cls;
    pending.nextCls = undefined;
    pending.restsUntilMs = nowMs + backoffMs(this.#options.backoff, pending.attempts, this.#options.random);
  }

  #time(pending: PendingPod, dueMs: number): void {
    pending.dueMs = dueMs;
    this.#timed.push(pending);
  }

  /** Removes a pod from wherever it waits. */
  #withdraw(pending: PendingPod): void {
    if (!this.#active.remove(pending)) this.#timed.remove(pending);
    const group = this.#parked.get(pending.cls);
    if (group?.delete(pending) && group.size === 0) {
      this.#parked.delete(pending.cls);
      this.#toProbe.delete(pending.cls);
    }
  }
}

import type { Immutable, Pod, RetryOn } from '@tappaas/sdk';
import { backoffMs, type BackoffOptions } from './backoff.js';
import { Heap, type HeapItem } from './heap.js';
import type { SchedulingClass } from './pod-class.js';

/** A pod that has no node yet. */
export interface PendingPod extends HeapItem {
  readonly uid: string;
  pod: Immutable<Pod>;
  cls: SchedulingClass;
  /** The pod was changed while cycling: its class from the next attempt on. */
  nextCls: SchedulingClass | undefined;
  readonly sequence: number;
  /**
   * gated: kept out of the queue; active: to be tried; resting: waits for `dueMs`; parked: waits for an event or `dueMs`;
   * cycling: being placed or bound.
   */
  state: 'gated' | 'active' | 'resting' | 'parked' | 'cycling';
  attempts: number;
  dueMs: number;
  restsUntilMs: number;
  retryOn: readonly RetryOn[];
  /** Deleted, or seen on a node: whoever still works on it stops. */
  dropped: boolean;
  /** Ends a wait of its permit step. */
  abort: AbortController | undefined;
  /** Pods were asked to leave this node in its favour; until then it already counts there. */
  nominated: { readonly node: string; readonly untilMs: number } | undefined;
  /** What its owner was told last, so that it is not told again each time. */
  told: { readonly message: string; readonly atMs: number } | undefined;
}

export interface PendingOptions {
  readonly podsMax: number;
  /** A parked pod is tried again after this time even if nothing happened. */
  readonly parkedMsMax: number;
  readonly backoff: BackoffOptions;
  readonly random: () => number;
  /** Pods were refused, and half of the room is free now. */
  readonly onRoom: () => void;
}

/** Pods without a node: which is next, which rest, and which wait for what. */
export class PendingPods {
  readonly #options: PendingOptions;
  readonly #pods = new Map<string, PendingPod>();
  /** Higher priority first, then the order of arrival. */
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
  /** Number of the latest event; give it to {@link park} so that no event between is missed. */
  get events(): number {
    return this.#events;
  }
  /** When the next pod is due without an event, in milliseconds. */
  get nextDueMs(): number {
    return this.#timed.first?.dueMs ?? Infinity;
  }
  get hasProbes(): boolean {
    return this.#toProbe.size > 0 || (this.#unheard.size > 0 && this.#parked.size > 0);
  }
  get(uid: string): PendingPod | undefined {
    return this.#pods.get(uid);
  }

  /** Takes a pod in, gated; nothing when there is no room. */
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
      told: undefined,
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

  /** The pod has changed. When it is of another class now, it waits nowhere until somebody activates or gates it. */
  replace(pending: PendingPod, pod: Immutable<Pod>, cls: SchedulingClass): void {
    pending.pod = pod;
    if (pending.state === 'cycling') pending.nextCls = cls;
    else if (pending.cls !== cls) {
      this.#withdraw(pending);
      pending.cls = cls;
    }
  }

  /** The next pod to try. */
  take(): PendingPod | undefined {
    const pending = this.#active.pop();
    if (pending !== undefined) pending.state = 'cycling';
    return pending;
  }

  /** Lets a pod be tried at once. */
  activate(pending: PendingPod): void {
    this.#withdraw(pending);
    pending.state = 'active';
    this.#active.push(pending);
  }

  /** Keeps a pod out of the queue; without `dueMs`, until somebody activates it. */
  gate(pending: PendingPod, dueMs?: number): void {
    this.#withdraw(pending);
    pending.state = 'gated';
    if (dueMs !== undefined) this.#time(pending, dueMs);
  }

  /** After a failed attempt that no event can help: tried again when it has rested. */
  rest(pending: PendingPod, nowMs: number): void {
    this.#withdraw(pending);
    this.#countAttempt(pending, nowMs);
    pending.state = 'resting';
    this.#time(pending, pending.restsUntilMs);
  }

  /** After no node was found: tried again when one of `retryOn` happens, also if it did since event `since`, or `againMs` has come. */
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

  /** Something happened: classes that wait for it are to be looked at. */
  happened(event: RetryOn): void {
    this.#lastEvent.set(event, ++this.#events);
    this.#unheard.add(event);
  }

  /** Something changed that no event names, such as the taps themselves. */
  probeAll(): void {
    for (const cls of this.#parked.keys()) this.#toProbe.add(cls);
  }

  all(): Iterable<PendingPod> {
    return this.#pods.values();
  }

  /** A class whose parked pods may have a chance now. */
  takeProbe(): SchedulingClass | undefined {
    this.#hear();
    for (const cls of this.#toProbe) {
      this.#toProbe.delete(cls);
      return cls;
    }
    return undefined;
  }

  /** A class was looked at and still has no chance: from now on its parked pods wait for other events. */
  waitFor(cls: SchedulingClass, retryOn: readonly RetryOn[]): void {
    for (const pending of this.#parked.get(cls) ?? []) pending.retryOn = retryOn;
  }

  /** Lets the parked pods of a class be tried again, each when it has rested. */
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

  /** Takes out the pods whose time has come. */
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

  /** Finds the classes that wait for what has happened: once for many events, since there may be many classes. */
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

  /** Takes a pod out of wherever it waits. */
  #withdraw(pending: PendingPod): void {
    if (!this.#active.remove(pending)) this.#timed.remove(pending);
    const group = this.#parked.get(pending.cls);
    if (group?.delete(pending) && group.size === 0) {
      this.#parked.delete(pending.cls);
      this.#toProbe.delete(pending.cls);
    }
  }
}

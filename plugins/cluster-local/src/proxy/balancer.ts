import type { Clock } from '@tappaas/sdk';
import type { Traffic } from '../agent/pod/pod-context.js';
import type { Endpoint, EndpointTable } from './endpoints.js';

/** How long an endpoint that refused a connection is tried last, milliseconds. */
const refusedMs = 1000;
const pauseMs = 20;
/** Maximum time that an ending pod waits for a successor, milliseconds. */
const successorMs = 1000;

/** Chooses endpoints round-robin; tracks leaving pods and the requests in progress to each pod. */
export class Balancer implements Traffic {
  readonly #table: EndpointTable;
  readonly #clock: Clock;
  readonly #turns = new Map<string, number>();
  readonly #underWay = new Map<string, number>();
  readonly #unready = new Set<string>();
  readonly #leaving = new Set<string>();
  readonly #refused = new Map<string, number>();

  constructor(table: EndpointTable, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * Endpoints of a service port in the order in which to try them: usable ones round-robin, those that recently refused a connection last.
   * If there are none, the endpoints of leaving pods, whose processes still respond.
   */
  choose(service: string, portName: string): readonly Endpoint[] {
    const { ready, serving } = this.#table.of(service, portName);
    const usable = ready.filter((endpoint) => this.#isUsable(endpoint));
    const chosen = usable.length > 0 ? usable : [...ready, ...serving].filter(({ podUid }) => this.#leaving.has(podUid));
    if (chosen.length < 2) return chosen;
    const key = `${service}/${portName}`;
    const turn = this.#turns.get(key) ?? 0;
    this.#turns.set(key, (turn + 1) % 1_000_000_007);
    const start = turn % chosen.length;
    const rotated = [...chosen.slice(start), ...chosen.slice(0, start)];
    const nowMs = this.#clock.nowMs();
    const isRefused = (endpoint: Endpoint) => (this.#refused.get(addressOf(endpoint)) ?? 0) > nowMs;
    return [...rotated.filter((endpoint) => !isRefused(endpoint)), ...rotated.filter(isRefused)];
  }

  /** Counts a request or connection to the endpoint; the returned function ends it. */
  begin({ podUid }: Endpoint): () => void {
    this.#underWay.set(podUid, (this.#underWay.get(podUid) ?? 0) + 1);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      const left = (this.#underWay.get(podUid) ?? 1) - 1;
      if (left > 0) this.#underWay.set(podUid, left);
      else this.#underWay.delete(podUid);
    };
  }

  /** Records that the endpoint refused a connection. */
  refuse(endpoint: Endpoint): void {
    const nowMs = this.#clock.nowMs();
    for (const [address, untilMs] of this.#refused) if (untilMs <= nowMs) this.#refused.delete(address);
    this.#refused.set(addressOf(endpoint), nowMs + refusedMs);
  }

  setReady(podUid: string, ready: boolean): void {
    if (ready) this.#unready.delete(podUid);
    else this.#unready.add(podUid);
  }

  async drain(podUid: string, atMostMs: number, hasSuccessor: boolean): Promise<void> {
    const startMs = this.#clock.nowMs();
    const passedMs = () => this.#clock.nowMs() - startMs;
    this.#leaving.add(podUid);
    if (this.#unready.has(podUid) && !this.#underWay.has(podUid)) return;
    const never = new AbortController().signal;
    const successorAtMostMs = hasSuccessor ? Math.min(atMostMs, successorMs) : 0;
    while (passedMs() < successorAtMostMs && !this.#table.hasOthers(podUid, (endpoint) => this.#isUsable(endpoint))) {
      await this.#clock.sleep(pauseMs, never);
    }
    while (passedMs() < atMostMs && this.#underWay.has(podUid)) await this.#clock.sleep(pauseMs, never);
    this.#unready.add(podUid);
  }

  forget(podUid: string): void {
    this.#leaving.delete(podUid);
    this.#unready.add(podUid);
    this.#removed.push(podUid);
    for (const old of this.#removed.splice(0, this.#removed.length - removedMax)) this.#unready.delete(old);
  }

  /** Pods that have ended. Their slices may exist a little longer, so they stay unready for a while. */
  readonly #removed: string[] = [];

  #isUsable({ podUid }: Endpoint): boolean {
    return !this.#unready.has(podUid) && !this.#leaving.has(podUid);
  }
}

const removedMax = 1000;
const addressOf = ({ host, port }: Endpoint): string => `${host}:${port}`;

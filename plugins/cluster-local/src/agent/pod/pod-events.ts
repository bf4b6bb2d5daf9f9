import { createHash } from 'node:crypto';
import type { Clock, Event, Immutable, Logger, Pod } from '@tappaas/sdk';
import { isAnswer, type ApiClient } from '../api/api-client.js';

/** Something that happened to a pod, for users. */
export interface PodEvent {
  readonly type: 'Normal' | 'Warning';
  /** One word in CamelCase. */
  readonly reason: string;
  readonly message: string;
}

interface RecordedEvent {
  readonly firstMs: number;
  count: number;
  /** When it was last sent, milliseconds since the epoch. */
  sentMs: number;
}

const knownMax = 2000;
const waitingMax = 200;
/** Minimum time between two writes of the same event, milliseconds. */
const quietMs = 10_000;
const component = 'node-agent';

/**
 * Writes Events about pods. A repeated event raises its count, at most every ten seconds, so a pod that fails for hours has a few Events,
 * not thousands. Delivery is best effort: an event that cannot be sent is dropped.
 */
export class PodEvents {
  readonly #client: ApiClient;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  readonly #recorded = new Map<string, RecordedEvent>();
  #turn: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(client: ApiClient, clock: Clock, log: Logger, signal: AbortSignal) {
    this.#client = client;
    this.#clock = clock;
    this.#log = log;
    this.#signal = signal;
  }

  record(pod: Immutable<Pod>, event: PodEvent): void {
    const id = createHash('sha256').update(`${pod.metadata.uid}\0${event.reason}\0${event.message}`).digest('hex').slice(0, 16);
    const nowMs = this.#clock.nowMs();
    const recorded = this.#recorded.get(id) ?? { firstMs: nowMs, count: 0, sentMs: -Infinity };
    recorded.count += 1;
    this.#recorded.delete(id);
    this.#recorded.set(id, recorded);
    const [oldest] = this.#recorded.keys();
    if (this.#recorded.size > knownMax && oldest !== undefined) this.#recorded.delete(oldest);
    if (nowMs - recorded.sentMs < quietMs || this.#waiting >= waitingMax || this.#signal.aborted) return;
    recorded.sentMs = nowMs;
    this.#waiting += 1;
    this.#turn = this.#turn
      .then(() => this.#send(pod, event, id, recorded))
      .catch((error: unknown) => this.#log.debug('event not sent', { error: String(error) }))
      .finally(() => (this.#waiting -= 1));
  }

  async #send(pod: Immutable<Pod>, event: PodEvent, id: string, recorded: RecordedEvent): Promise<void> {
    const { namespace = '', name = '' } = pod.metadata;
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
    const last = { count: recorded.count, lastTimestamp: isoOf(recorded.sentMs) };
    const body: Event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${id}`, namespace },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid: pod.metadata.uid ?? '' },
      ...event,
      ...last,
      firstTimestamp: isoOf(recorded.firstMs),
      source: { component, host: pod.spec?.nodeName ?? '' },
      reportingComponent: component,
      reportingInstance: pod.spec?.nodeName ?? '',
    };
    try {
      await this.#client.request({ method: 'POST', path, body, signal: this.#signal });
    } catch (error) {
      if (!isAnswer(error, 409)) throw error;
      const contentType = 'application/merge-patch+json';
      await this.#client.request({ method: 'PATCH', path: `${path}/${name}.${id}`, body: last, contentType, signal: this.#signal });
    }
  }
}

const isoOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

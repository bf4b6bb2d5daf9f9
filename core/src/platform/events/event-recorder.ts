import { createHash } from 'node:crypto';
import { isTapError, type Clock, type Immutable, type KubernetesObject, type Logger, type Resources } from '@tappaas/sdk';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import type { MetricRegistry } from '../../kernel/kernel.js';
import type { EngineObject } from '../engine-object.js';
import { EventLane, isRefusal } from './event-lane.js';
import { EventRates } from './event-rates.js';
import type { ObjectEvent } from '../controllers/reconcile-context.js';

/**
 * Writes Events about objects in the background. A repeated event raises the count and updates the message. Events about one object are
 * rate-limited and written in the order of emission. Failed writes are retried for about a minute.
 */
export interface EventRecorder {
  /** Records an event; the object may be a function, which is called when it is written. */
  emit(object: Immutable<EngineObject> | (() => Promise<Immutable<EngineObject>>), event: ObjectEvent): void;
  /** Resolves when everything emitted so far has been written or given up, or waits for its next attempt. */
  settled(): Promise<void>;
  /** Makes one last attempt for waiting events, and ends. */
  stop(): Promise<void>;
}

export interface EventRecorderParts {
  readonly resources: Resources;
  readonly component: string;
  readonly metrics: Pick<MetricRegistry, 'counter'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

const waitingMax = 1_000;
/** Concurrent writes, so that they share a commit of the store. */
const lanesMax = 8;
const messageCharactersMax = 1_024;
const events = kubernetesHandle<KubernetesObject>('', 'Event');

export function createEventRecorder(parts: EventRecorderParts): EventRecorder {
  const { resources, component, metrics, clock, random, log } = parts;
  const stopping = new AbortController();
  const lanes = Array.from({ length: lanesMax }, () => new EventLane({ clock, random, signal: stopping.signal }));
  const rates = new EventRates(clock);
  const dropped = metrics.counter<'component' | 'reason'>({
    name: 'tappaas_events_dropped_total',
    help: 'Events that were not written: too many waited (full), they were refused, or every try to write them failed.',
    labels: ['component', 'reason'],
  });
  let waiting = 0;
  let isDropping = false;
  const drop = (why: 'full' | 'refused' | 'failed', { reason }: ObjectEvent, error?: unknown): void => {
    dropped.bind({ component, reason: why }).add();
    const logFields = { component, why, reason, ...(error !== undefined && { error }) };
    // Terminating namespaces refuse events about their content, which is expected.
    if (why === 'refused') return log.debug('an event was refused', logFields);
    if (!isDropping) log.warn('events are not written', logFields);
    isDropping = true;
  };
  const settled = async (): Promise<void> => void (await Promise.all(lanes.map((lane) => lane.settled())));
  return {
    emit(object, event) {
      if (waiting >= waitingMax) return drop('full', event);
      waiting += 1;
      const entry = new Entry(object, event, { resources, component, clock, rates });
      const end = (): void => {
        waiting -= 1;
        isDropping &&= waiting > 0;
      };
      lanes[typeof object === 'function' ? 0 : laneOf(object.metadata.uid)]?.add({
        write: () => entry.write().then(end),
        giveUp(error) {
          entry.forget();
          drop(isRefusal(error) ? 'refused' : 'failed', event, error);
          end();
        },
      });
    },
    settled,
    async stop() {
      stopping.abort();
      await Promise.all(lanes.map((lane) => lane.ended()));
    },
  };
}

function laneOf(uid: string): number {
  let sum = 0;
  for (let index = 0; index < uid.length; index += 1) sum += uid.charCodeAt(index);
  return sum % lanesMax;
}

interface Writer {
  readonly resources: Resources;
  readonly component: string;
  readonly clock: Clock;
  readonly rates: EventRates;
}

/** One pending event. Its rate limit is checked at the first attempt, and reverted if it is never written. */
class Entry {
  readonly #object: Parameters<EventRecorder['emit']>[0];
  readonly #event: ObjectEvent;
  readonly #writer: Writer;
  /** Time of occurrence, regardless of when it is written. */
  readonly #at: string;
  #turn: Turn | undefined;

  constructor(object: Parameters<EventRecorder['emit']>[0], event: ObjectEvent, writer: Writer) {
    this.#object = object;
    this.#event = event;
    this.#writer = writer;
    this.#at = new Date(writer.clock.nowMs()).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  async write(): Promise<void> {
    this.#turn ??= this.#take(typeof this.#object === 'function' ? await this.#object() : this.#object);
    if (this.#turn.times > 0) await write(this.#writer, this.#turn, this.#event, this.#at);
  }

  forget(): void {
    if (this.#turn !== undefined) this.#writer.rates.giveBack(this.#turn.object.metadata.uid, this.#turn.digest, this.#turn.times);
  }

  #take(object: Immutable<EngineObject>): Turn {
    const { component, rates } = this.#writer;
    const { type, reason, message, sameAs = message } = this.#event;
    const { uid } = object.metadata;
    const digest = createHash('sha256').update(`${uid}\n${component}\n${type}\n${reason}\n${sameAs}`).digest('hex').slice(0, 16);
    return { object, digest, times: rates.take(uid, digest) };
  }
}

interface Turn {
  readonly object: Immutable<EngineObject>;
  /** Identifies equal events, which share one Event object. */
  readonly digest: string;
  /** Occurrences since it was last written; 0: it is not written now. */
  readonly times: number;
  /** The count to write, fixed at the first attempt, because an attempt whose response was lost may have written it. */
  count?: number;
}

async function write({ resources, component }: Writer, turn: Turn, event: ObjectEvent, at: string): Promise<void> {
  const { object, digest, times } = turn;
  const { type, reason } = event;
  const { name, uid } = object.metadata;
  const namespace = object.metadata.namespace || 'default';
  const key = { namespace, name: `${name.slice(0, 200)}.${digest}` };
  const message = event.message.slice(0, messageCharactersMax);
  const known = (await resources.get(events, key)) as { count?: number } | undefined;
  const count = (turn.count ??= known ? (known.count ?? 1) + times : times);
  if (known) {
    await resources.patch(events, key, { count, lastTimestamp: at, message });
    return;
  }
  const { apiVersion, kind } = object;
  const involvedObject = { apiVersion, kind, name, uid, ...(object.metadata.namespace ? { namespace } : {}) };
  const source = { component };
  const body = {
    metadata: key,
    involvedObject,
    type,
    reason,
    message,
    source,
    firstTimestamp: at,
    lastTimestamp: at,
    count,
  };
  await resources.create(events, body).catch((error: unknown) => {
    if (!isTapError(error, 'TAP_OBJECT_EXISTS')) throw error;
  });
}

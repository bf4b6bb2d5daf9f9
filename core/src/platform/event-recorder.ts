import { createHash } from 'node:crypto';
import { isTapError, type Clock, type Immutable, type KubernetesObject, type Logger, type Resources } from '@tappaas/sdk';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import type { EngineObject } from './engine-object.js';
import { EventRates } from './event-rates.js';
import type { ObjectEvent } from './reconcile-context.js';

/**
 * Writes Events about objects, behind the caller's back; the same one again raises its count, and says what it says now. What is said of one
 * object is bounded, and written in the order in which it was emitted.
 */
export interface EventRecorder {
  /** The object may be looked up when it is its turn. */
  emit(object: Immutable<EngineObject> | (() => Promise<Immutable<EngineObject>>), event: ObjectEvent): void;
  /** Resolves when everything emitted so far was written or given up. */
  settled(): Promise<void>;
}

const waitingMax = 1_000;
/** Written at once, so that they share a commit of the store. */
const lanesMax = 8;
const messageCharactersMax = 1_024;
const events = kubernetesHandle<KubernetesObject>('', 'Event');

export function createEventRecorder(resources: Resources, component: string, clock: Clock, log: Logger): EventRecorder {
  const lanes = Array.from({ length: lanesMax }, () => Promise.resolve());
  const writer: Writer = { resources, component, clock, rates: new EventRates(clock) };
  let waiting = 0;
  let isDropping = false;
  return {
    emit(object, event) {
      if (waiting >= waitingMax) {
        if (!isDropping) log.warn('too many events wait to be written; some are dropped', { component, reason: event.reason });
        isDropping = true;
        return;
      }
      waiting += 1;
      const lane = typeof object === 'function' ? 0 : laneOf(object.metadata.uid);
      lanes[lane] = (lanes[lane] ?? Promise.resolve())
        .then(async () => write(writer, typeof object === 'function' ? await object() : object, event))
        .catch((error: unknown) => log.debug('an event was not written', { component, reason: event.reason, error }))
        .finally(() => {
          waiting -= 1;
          isDropping &&= waiting > 0;
        });
    },
    settled: async () => void (await Promise.all(lanes)),
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

async function write({ resources, component, clock, rates }: Writer, object: Immutable<EngineObject>, event: ObjectEvent): Promise<void> {
  const { type, reason, sameAs = event.message } = event;
  const { name, uid } = object.metadata;
  const digest = createHash('sha256').update(`${uid}\n${component}\n${type}\n${reason}\n${sameAs}`).digest('hex').slice(0, 16);
  const times = rates.take(uid, digest);
  if (times === 0) return;
  const namespace = object.metadata.namespace || 'default';
  const key = { namespace, name: `${name.slice(0, 200)}.${digest}` };
  const at = new Date(clock.nowMs()).toISOString().replace(/\.\d+Z$/, 'Z');
  const message = event.message.slice(0, messageCharactersMax);
  const known = (await resources.get(events, key)) as { count?: number } | undefined;
  if (known) {
    await resources.patch(events, key, { count: (known.count ?? 1) + times, lastTimestamp: at, message });
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
    count: times,
  };
  await resources.create(events, body).catch((error: unknown) => {
    if (!isTapError(error, 'TAP_OBJECT_EXISTS')) throw error;
  });
}

import { createHash } from 'node:crypto';
import { isTapError, type Clock, type Immutable, type KubernetesObject, type Logger, type Resources } from '@tappaas/sdk';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import type { EngineObject } from './engine-object.js';
import type { ObjectEvent } from './reconcile-context.js';

/** Writes Events about objects, behind the caller's back and in turn; the same one again raises its count. */
export interface EventRecorder {
  /** The object may be looked up when it is its turn. */
  emit(object: Immutable<EngineObject> | (() => Promise<Immutable<EngineObject>>), event: ObjectEvent): void;
  /** Resolves when everything emitted so far was written or given up. */
  settled(): Promise<void>;
}

const waitingMax = 1_000;
const messageCharactersMax = 1_024;
const events = kubernetesHandle<KubernetesObject>('', 'Event');

export function createEventRecorder(resources: Resources, component: string, clock: Clock, log: Logger): EventRecorder {
  let tail = Promise.resolve();
  let waiting = 0;
  return {
    emit(object, event) {
      if (waiting >= waitingMax) {
        log.warn('too many events wait to be written; one was dropped', { component, reason: event.reason });
        return;
      }
      waiting += 1;
      tail = tail
        .then(async () => write(resources, component, clock, typeof object === 'function' ? await object() : object, event))
        .catch((error: unknown) => log.debug('an event was not written', { component, reason: event.reason, error }))
        .finally(() => void (waiting -= 1));
    },
    settled: () => tail,
  };
}

async function write(
  resources: Resources,
  component: string,
  clock: Clock,
  object: Immutable<EngineObject>,
  { type, reason, message }: ObjectEvent,
): Promise<void> {
  const { name, uid } = object.metadata;
  const namespace = object.metadata.namespace || 'default';
  const digest = createHash('sha256').update(`${uid}\n${component}\n${type}\n${reason}\n${message}`).digest('hex').slice(0, 16);
  const key = { namespace, name: `${name.slice(0, 200)}.${digest}` };
  const at = new Date(clock.nowMs()).toISOString().replace(/\.\d+Z$/, 'Z');
  const known = (await resources.get(events, key)) as { count?: number } | undefined;
  if (known) {
    await resources.patch(events, key, { count: (known.count ?? 1) + 1, lastTimestamp: at });
    return;
  }
  const { apiVersion, kind } = object;
  const involvedObject = { apiVersion, kind, name, uid, ...(object.metadata.namespace ? { namespace } : {}) };
  const body = {
    metadata: key,
    involvedObject,
    type,
    reason,
    message: message.slice(0, messageCharactersMax),
    source: { component },
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
  };
  await resources.create(events, body).catch((error: unknown) => {
    if (!isTapError(error, 'TAP_OBJECT_EXISTS')) throw error;
  });
}

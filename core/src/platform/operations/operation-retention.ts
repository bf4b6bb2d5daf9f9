import type { Clock, Immutable, Logger, Resources } from '@tappaas/sdk';
import { Operation, type OperationObject } from '@tappaas/sdk/kinds';
import type { Informer } from '../../reconcile/informer.js';
import type { EngineObject } from '../engine-object.js';
import { hasEnded } from './operation-notes.js';

type Operations = readonly Immutable<OperationObject>[];

/** Maximum age of ended operations, and maximum number per namespace. */
export const retention = { ageMsMax: 30 * 24 * 3_600_000, perNamespaceMax: 1_000, everyMs: 5 * 60_000 } as const;
/** Maximum removals per round; the rest is left to the next. */
const removalsMax = 5_000;

/**
 * Returns the operations of one namespace to remove: those too old, and those beyond the newest `perNamespaceMax`. Unfinished ones stay.
 * Pure.
 */
export function expiredOperations(operations: Operations, nowMs: number): Operations {
  const endMs = ({ status }: Immutable<OperationObject>) => Date.parse(status?.completionTime ?? '');
  const ended = operations.filter(hasEnded).toSorted((one, other) => endMs(other) - endMs(one));
  const room = Math.max(0, retention.perNamespaceMax - (operations.length - ended.length));
  return ended.filter((operation, index) => index >= room || nowMs - endMs(operation) > retention.ageMsMax);
}

export interface RetentionOptions {
  readonly operations: Informer<EngineObject>;
  readonly resources: Resources;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Removes expired operations periodically until `signal` aborts. Never rejects. */
export async function keepOperationsFew({ operations, resources, clock, log, signal }: RetentionOptions): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(retention.everyMs, signal).catch(() => undefined);
    // The shared informers are untyped, but this one was opened for Operations.
    const all = operations.list() as unknown as Operations;
    const expired = [...Map.groupBy(all, ({ metadata }) => metadata.namespace).values()].flatMap((each) =>
      expiredOperations(each, clock.nowMs()),
    );
    for (const { metadata } of expired.slice(0, removalsMax)) {
      if (signal.aborted) return;
      const { namespace, name, uid } = metadata;
      await resources.delete(Operation, { namespace, name }, { uid }).catch((error: unknown) =>
        // Retried in the next round.
        log.debug('an operation was not removed', { operation: name, error }),
      );
    }
  }
}

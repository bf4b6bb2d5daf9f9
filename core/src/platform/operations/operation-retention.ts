import type { Clock, Immutable, Logger, Resources } from '@tappaas/sdk';
import { Operation, type OperationObject } from '@tappaas/sdk/kinds';
import type { Informer } from '../../reconcile/informer.js';
import type { EngineObject } from '../engine-object.js';
import { hasEnded } from './operation-notes.js';

type Operations = readonly Immutable<OperationObject>[];

/** For how long, and how many in a namespace, operations that have ended are kept. */
export const retention = { ageMsMax: 30 * 24 * 3_600_000, perNamespaceMax: 1_000, everyMs: 5 * 60_000 } as const;
/** Removed in one round: what is more is left to the next. */
const removalsMax = 5_000;

/** The operations of one namespace that are kept no longer: too old, or more than the newest so many. What has not ended stays. Pure. */
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

/** Removes operations that are kept no longer, round after round, until `signal` aborts. Never rejects. */
export async function keepOperationsFew({ operations, resources, clock, log, signal }: RetentionOptions): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(retention.everyMs, signal).catch(() => undefined);
    // What serves objects of all kinds knows none of them; this informer was opened for Operations.
    const all = operations.list() as unknown as Operations;
    const expired = [...Map.groupBy(all, ({ metadata }) => metadata.namespace).values()].flatMap((each) =>
      expiredOperations(each, clock.nowMs()),
    );
    for (const { metadata } of expired.slice(0, removalsMax)) {
      if (signal.aborted) return;
      const { namespace, name, uid } = metadata;
      await resources.delete(Operation, { namespace, name }, { uid }).catch((error: unknown) =>
        // It is tried again in the next round.
        log.debug('an operation was not removed', { operation: name, error }),
      );
    }
  }
}

import type { Immutable, ReconcileContext } from '@tappaas/sdk';
import { Build, type BuildObject } from '@tappaas/sdk/kinds';

/** The signal for a running build that is no longer wanted. */
export interface Cancellation {
  readonly signal: AbortSignal;
  /** Whether it aborted because the Build was deleted. */
  readonly isCancelled: boolean;
  leave(): void;
}

/** Interval at which a running build checks for cancellation; the read is served by the cache and cheap. */
const lookEveryMs = 250;

/** Polls the Build while it runs: the controller cannot be woken by the change, since it runs one reconcile per key. */
export function followCancellation(build: Immutable<BuildObject>, context: ReconcileContext<typeof Build>): Cancellation {
  const abort = new AbortController();
  const over = new AbortController();
  let isCancelled = false;
  void look();
  return {
    signal: abort.signal,
    get isCancelled() {
      return isCancelled;
    },
    leave: () => over.abort(),
  };

  async function look(): Promise<void> {
    const { namespace, name, uid } = build.metadata;
    while (!over.signal.aborted && !abort.signal.aborted) {
      try {
        await context.clock.sleep(lookEveryMs, over.signal);
        const now = await context.asPlugin.get(Build, { namespace, name });
        isCancelled = now?.metadata.uid !== uid;
        if (isCancelled || now?.spec.cancelled === true) abort.abort(new Error('the build was cancelled'));
      } catch (error) {
        if (!over.signal.aborted) context.log.debug('whether a build was cancelled is not known now', { error });
      }
    }
  }
}

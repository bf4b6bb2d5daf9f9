import type { Immutable, ReconcileContext } from '@tappaas/sdk';
import { Build, type BuildObject } from '@tappaas/sdk/kinds';

/** Says when nobody wants a build any more that is under way. */
export interface Cancellation {
  readonly signal: AbortSignal;
  /** It aborted because there is no such Build any more. */
  readonly isGone: boolean;
  leave(): void;
}

/** How soon a build that is under way hears of it: it asks the cache, which costs next to nothing. */
const lookEveryMs = 250;

/** Looks at the Build while it is built: a run of its key cannot be woken by the change. */
export function followCancellation(build: Immutable<BuildObject>, context: ReconcileContext<typeof Build>): Cancellation {
  const abort = new AbortController();
  const over = new AbortController();
  let isGone = false;
  void look();
  return {
    signal: abort.signal,
    get isGone() {
      return isGone;
    },
    leave: () => over.abort(),
  };

  async function look(): Promise<void> {
    const { namespace, name, uid } = build.metadata;
    while (!over.signal.aborted && !abort.signal.aborted) {
      try {
        await context.clock.sleep(lookEveryMs, over.signal);
        const now = await context.asPlugin.get(Build, { namespace, name });
        isGone = now?.metadata.uid !== uid;
        if (isGone || now?.spec.cancelled === true) abort.abort(new Error('the build was cancelled'));
      } catch (error) {
        if (!over.signal.aborted) context.log.debug('whether a build was cancelled is not known now', { error });
      }
    }
  }
}

import type { Shape } from '@tappaas/sdk';
import { Failure } from '../guard/blame.js';
import type { BatchTap } from './dispatch.js';
import type { Tap } from './tap.js';

/** Returns the taps of a batch hook as plain functions; the caller passes each its own columns and output. */
export function batchTaps(taps: readonly Tap[]): readonly BatchTap<Shape>[] {
  return taps.map((tap) => ({
    plugin: tap.plugin,
    name: tap.name,
    options: tap.options,
    failurePolicy: tap.failurePolicy,
    shadow: tap.shadow !== undefined,
    run(input) {
      const answered = tap.guard.invokeSync(tap.run, input, undefined);
      if (!(answered instanceof Failure)) return undefined;
      tap.shadow?.('failed', { error: answered.error.message });
      return answered.error;
    },
  }));
}

import type { Clock } from '@tappaas/sdk';
import type { Purged } from '../resources/purge.js';
import type { Engines } from './engines.js';
import { platformErrors } from './errors.js';
import { withTimeLimit } from './time-limit.js';

/** Less than the time limit of a request; the rest is done by the next call. */
const purgeMsMax = 40_000;

/**
 * Removes all objects of `kind` (`plural.group`), whose plugin is not loaded, on every engine that knows it, and then the kind itself.
 *
 * @throws TAP_QUERY_INVALID when no engine knows it, TAP_KIND_IN_USE when its plugin is loaded
 */
export function purgeKind(
  { engines, clock, signal }: { readonly engines: Pick<Engines, 'all'>; readonly clock: Clock; readonly signal: AbortSignal },
  kind: string,
): Promise<Purged> {
  return withTimeLimit({ clock, limitMs: purgeMsMax, signal }, async (limit) => {
    let removed = 0;
    let isComplete = true;
    const knowing = [...engines.all.values()].flatMap((engine) => {
      const served = engine.kinds().find(({ plural, group }) => kind === (group === '' ? plural : `${plural}.${group}`));
      return served === undefined ? [] : [{ engine, served }];
    });
    for (const { engine, served } of knowing) {
      const purged = await engine.purge(served, limit);
      removed += purged.removed;
      isComplete &&= purged.isComplete;
    }
    if (knowing.length > 0) return { removed, isComplete };
    const message = `no kind is called "${kind}"; expected plural.group, such as builds.apps.tappaas.dev`;
    throw platformErrors.TAP_QUERY_INVALID({ message });
  });
}

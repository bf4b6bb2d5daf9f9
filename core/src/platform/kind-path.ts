import type { AnyKind } from '@tappaas/sdk';
import type { EnginePort, KindPath } from '../ports/engine.js';

/** Returns the path of a kind on an engine. @throws TypeError when the engine does not serve it */
export function pathOf(engine: Pick<EnginePort, 'name' | 'kinds'>, kind: AnyKind): KindPath {
  const served = engine.kinds().find((entry) => entry.group === kind.group && entry.kind === kind.kind && entry.version === kind.version);
  if (served) return { group: served.group, version: served.version, plural: served.plural };
  throw new TypeError(`engine ${engine.name} does not serve ${kind.kind} of ${kind.group || 'the core group'}/${kind.version}`);
}

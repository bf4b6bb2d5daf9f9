import type { AnyKind } from '@tappaas/sdk';
import type { EnginePort, KindPath } from '../ports/engine.js';

/** Where an engine serves a kind. @throws TypeError when it does not */
export function pathOf(engine: Pick<EnginePort, 'name' | 'kinds'>, kind: AnyKind): KindPath {
  const served = engine.kinds().find((entry) => entry.group === kind.group && entry.kind === kind.kind && entry.version === kind.version);
  if (served) return { group: served.group, version: served.version, plural: served.plural };
  throw new TypeError(`engine ${engine.name} does not serve ${kind.kind} of ${kind.group || 'the core group'}/${kind.version}`);
}

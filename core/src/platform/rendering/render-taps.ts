import { hooks, type AnyKind, type Capability, type Immutable, type RenderSet } from '@tappaas/sdk';
import type { Kernel } from '../../kernel/kernel.js';
import { refKey, refOf } from '../../reconcile/object-ref.js';
import type { EngineObject } from '../engine-object.js';

/** Applies every render tap, phase by phase. @throws the error of the first failed tap, naming its plugin */
export function shapedByTaps<S extends RenderSet>(
  kernel: Kernel,
  { group, kind }: AnyKind,
  object: Immutable<EngineObject>,
  set: S,
  capabilities: readonly Capability[],
): S {
  const { value, failure } = kernel.hooks.transformSync(
    hooks.reconcile.render,
    { kind: { group, kind } },
    { value: set, input: (now) => ({ object, set: now, capabilities }), diff: changedObjects },
  );
  if (failure) throw failure.error;
  return value;
}

/** Returns the objects that differ between two sets; objects are frozen, so equal ones are identical. */
function changedObjects(before: RenderSet, after: RenderSet): readonly string[] {
  if (before === after) return [];
  const known = new Map([...before].map((object) => [refKey(refOf(object)), object]));
  const changed: string[] = [];
  for (const object of after) {
    const key = refKey(refOf(object));
    if (known.get(key) !== object) changed.push(`/${key}`);
    known.delete(key);
  }
  return [...changed, ...[...known.keys()].map((key) => `/${key}`)];
}

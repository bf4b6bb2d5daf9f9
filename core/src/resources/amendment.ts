import type { EngineState } from './engine-state.js';
import { resourceErrors } from './errors.js';
import type { KindEntry } from './kind-entry.js';
import { attemptsMax } from './mutation.js';
import { isRemovable } from './removal.js';
import type { Body } from './stored-object.js';
import { label } from './target.js';
import { takeStep } from './transaction.js';

/**
 * Makes an internal change that bypasses admission and authorization: to finalizers, owner references or the phase of a namespace. Does
 * nothing when the object is gone, when another object has its name, or when `change` returns undefined.
 */
export async function amend(
  state: EngineState,
  entry: KindEntry,
  key: string,
  uid: string,
  change: (object: Body) => Body | undefined,
): Promise<void> {
  let previous = state.cache(entry).get(key)?.object;
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    if (previous?.object.metadata.uid !== uid) return;
    const object = change(previous.object);
    if (object === undefined) return;
    const next = isRemovable(entry, object) ? undefined : { object, side: previous.side };
    const result = await takeStep(state, { entry, key, previous, next, claims: [], guards: [], changes: [] });
    if (result.outcome === 'done') return;
    previous = result.current && (await state.decode(entry, result.current));
  }
  throw resourceErrors.TAP_REQUEST_CONTENDED({ message: `${label(entry, key)}: others changed it ${attemptsMax} times meanwhile` });
}

/** Returns `object` without a finalizer; undefined when it does not have it. */
export function withoutFinalizer(object: Body, name: string): Body | undefined {
  const { finalizers = [], ...metadata } = object.metadata;
  if (!finalizers.includes(name)) return undefined;
  const rest = finalizers.filter((finalizer) => finalizer !== name);
  return { ...object, metadata: { ...metadata, ...(rest.length > 0 && { finalizers: rest }) } };
}

import type { EngineState } from './engine-state.js';
import { resourceErrors } from './errors.js';
import type { KindEntry } from './kind-entry.js';
import { attemptsMax } from './mutation.js';
import { isRemovable } from './removal.js';
import type { Body } from './stored-object.js';
import { label } from './target.js';
import { takeStep } from './transaction.js';

/**
 * A change that the engine itself makes to what only it writes: finalizers, owner references and the phase of a namespace. Nobody is
 * asked. Nothing happens when the object is gone, is another one of that name, or `change` answers nothing.
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

/** `object` without a finalizer; nothing when it has none of that name. */
export function withoutFinalizer(object: Body, name: string): Body | undefined {
  const { finalizers = [], ...metadata } = object.metadata;
  if (!finalizers.includes(name)) return undefined;
  const rest = finalizers.filter((finalizer) => finalizer !== name);
  return { ...object, metadata: { ...metadata, ...(rest.length > 0 && { finalizers: rest }) } };
}

import { isTapError, type KeyValue } from '@tappaas/sdk';
import { type EngineState } from './engine-state.js';
import { resourceErrors } from './errors.js';
import type { KindEntry } from './kind-entry.js';
import { objectKey } from './key-space.js';
import { textOf } from './object-text.js';
import { fromStore, toStore, type Body, type StoredObject } from './stored-object.js';
import { label } from './target.js';

/** A larger answer is stored as a reference to the object, because records stay for a day even if the object is deleted. */
export const answerBytesMax = 1024;
/** First character of a record that references an object; JSON objects start differently. */
const reference = '@';

/** A record that was found, and the permission check of the caller. */
export interface StoredAnswer {
  readonly record: KeyValue;
  readonly answer: Uint8Array;
  /** @throws TAP_REQUEST_FORBIDDEN */
  readonly mayRead: (name: string) => Promise<void>;
}

/** Encodes the answer to a create for its record. */
export async function storedAnswer({ sealer }: EngineState, entry: KindEntry, key: string, object: Body): Promise<Uint8Array> {
  const stored = toStore(textOf(object), { claims: [], attribution: [] });
  const { uid, name, namespace } = object.metadata;
  if (stored.byteLength > answerBytesMax) {
    return Buffer.from(reference + JSON.stringify({ key: objectKey(entry.prefix, namespace, name), name, uid }));
  }
  return entry.isConfidential && sealer ? sealer.seal(stored, { key, uid }) : stored;
}

/**
 * Returns the answer of a record: the object as it was created, or for a large one its current state, if the caller may read later changes.
 *
 * @throws TAP_REQUEST_ANSWER_GONE, and the errors of `mayRead`
 */
export async function answerOf(state: EngineState, entry: KindEntry, kept: StoredAnswer): Promise<StoredObject> {
  const { sealer, store } = state;
  const { record, answer } = kept;
  if (answer[0] === reference.charCodeAt(0)) return standing(state, entry, kept);
  const plain = entry.isConfidential && sealer ? await sealer.open(answer, record.key) : answer;
  return fromStore(plain, record, store.epoch);
}

async function standing(state: EngineState, entry: KindEntry, { record, answer, mayRead }: StoredAnswer): Promise<StoredObject> {
  const { key, name, uid } = JSON.parse(Buffer.from(answer).toString('utf8', 1)) as { key: string; name: string; uid: string };
  const present = await state.store.get(key);
  const stored = present && (await state.decode(entry, present));
  const gone = (since: string): Error => {
    const done = `${label(entry, name)}: the request with this idempotency key was done, and the object that it created (uid ${uid})`;
    return resourceErrors.TAP_REQUEST_ANSWER_GONE({ message: `${done} has been ${since} since` });
  };
  if (stored?.object.metadata.uid !== uid) throw gone('deleted');
  // The caller may see what it created; later changes by others require read permission.
  if (present?.modRevision !== record.modRevision) {
    await mayRead(name).catch((error: unknown) => {
      throw isTapError(error, 'TAP_REQUEST_FORBIDDEN') ? gone('changed, which this caller may not read,') : error;
    });
  }
  return stored;
}

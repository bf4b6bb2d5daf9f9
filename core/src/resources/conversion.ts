import type { KindEntry, KindVersionEntry } from './kind-entry.js';
import { isJsonObject, type JsonObject } from './schema/json-value.js';
import { StoredObject, type Body } from './stored-object.js';

/** Converts an object from `version` to the stored version. */
export function toHub(object: JsonObject, version: KindVersionEntry, entry: KindEntry): JsonObject {
  if (version.conversion === undefined) return object;
  const spec = object['spec'];
  return { ...object, apiVersion: entry.hub.apiVersion, ...(isJsonObject(spec) && { spec: version.conversion.toHub(spec) }) };
}

/** Converts a stored object to `version`. */
export function fromHub(object: Body, version: KindVersionEntry): Body {
  if (version.conversion === undefined) return object;
  const spec = object['spec'];
  return { ...object, apiVersion: version.apiVersion, ...(isJsonObject(spec) && { spec: version.conversion.fromHub(spec) }) };
}

/** Converts stored objects to served versions, at most once per object and version. */
export class VersionedView {
  readonly #known = new WeakMap<StoredObject, Map<KindVersionEntry, StoredObject>>();

  /** Returns the object as readers of `version` get it. */
  at(stored: StoredObject, version: KindVersionEntry, epoch: number): StoredObject {
    if (version.conversion === undefined) return stored;
    const views = this.#known.get(stored) ?? new Map<KindVersionEntry, StoredObject>();
    const known = views.get(version);
    if (known) return known;
    const view = new StoredObject({ object: fromHub(stored.object, version) }, stored.revision, epoch, stored.side);
    this.#known.set(stored, views.set(version, view));
    return view;
  }
}

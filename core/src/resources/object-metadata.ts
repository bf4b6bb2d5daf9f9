import { resourceErrors } from './errors.js';
import type { KindEntry } from './kind-entry.js';
import { isJsonObject, memberOf, type JsonObject } from './schema/json-value.js';
import type { Body, ObjectMeta } from './stored-object.js';
import { label } from './target.js';

/** The fields that the platform assigns to a new object. */
export interface Birth {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly uid: string;
  readonly time: string;
}

/** Makes the metadata of a new object from the author's fields and those of the platform. */
export function bornMetadata(written: JsonObject, birth: Birth, hasGeneration: boolean): JsonObject {
  const { labels, annotations, finalizers, ownerReferences, generateName, managedFields } = written;
  return withoutAbsent({
    name: birth.name,
    generateName,
    namespace: birth.namespace,
    uid: birth.uid,
    generation: hasGeneration ? 1 : undefined,
    creationTimestamp: birth.time,
    labels,
    annotations,
    ownerReferences,
    finalizers,
    managedFields,
  });
}

/** Fields that authors cannot set; an update that omits or repeats one keeps it. */
const kept = ['uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const;

/** Makes the metadata of an update from the author's fields and those kept. A changed kept field is left for validation to report. */
export function updatedMetadata(previous: ObjectMeta, written: JsonObject): JsonObject {
  const { labels, annotations, finalizers, ownerReferences } = written;
  const own: JsonObject = previous;
  return withoutAbsent({
    name: written['name'] ?? previous.name,
    generateName: own['generateName'],
    namespace: written['namespace'] ?? previous.namespace,
    ...Object.fromEntries(kept.map((name) => [name, written[name] ?? own[name]])),
    generation: previous.generation,
    labels,
    annotations,
    ownerReferences,
    finalizers,
    managedFields: written['managedFields'] ?? previous.managedFields,
  });
}

/** Returns `object` without undefined members, and without the empty lists and maps that Kubernetes omits as well. */
function withoutAbsent(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name, value]) => value !== undefined && !isEmpty(name, value)));
}

/** An empty value of the wrong type is left for validation to report. */
function isEmpty(name: string, value: unknown): boolean {
  if (maps.has(name)) return isJsonObject(value) && Object.keys(value).length === 0;
  return lists.has(name) && Array.isArray(value) && value.length === 0;
}

const maps = new Set(['labels', 'annotations']);
const lists = new Set(['finalizers', 'ownerReferences', 'managedFields']);

/** Returns `object` with other metadata. */
export const withMetadata = (object: JsonObject, metadata: JsonObject): Body => {
  const changed: JsonObject = { ...object, metadata };
  return changed as Body;
};

/** Returns the metadata of a written object, or an empty object. */
export const metadataOf = (object: JsonObject): JsonObject => {
  const metadata = memberOf(object, 'metadata');
  return isJsonObject(metadata) ? metadata : {};
};

/** @throws TAP_OBJECT_CONFLICT when the written uid or resourceVersion differs from that of the stored object */
export function refuseOtherState(
  entry: KindEntry,
  metadata: JsonObject,
  previous: { readonly object: Body; readonly resourceVersion: string },
): void {
  const { name, uid } = previous.object.metadata;
  const { uid: writtenUid, resourceVersion } = metadata;
  if (typeof writtenUid === 'string' && writtenUid !== '' && writtenUid !== uid) {
    throw resourceErrors.TAP_OBJECT_CONFLICT({
      message: `${label(entry, name)}: the uid of the request is ${writtenUid}, that of the object is ${uid}`,
      field: 'metadata.uid',
    });
  }
  if (typeof resourceVersion === 'string' && resourceVersion !== '' && resourceVersion !== previous.resourceVersion) {
    throw resourceErrors.TAP_OBJECT_CONFLICT({
      message: `${label(entry, name)}: the object has been modified; apply your changes to the latest version and try again`,
      field: 'metadata.resourceVersion',
    });
  }
}

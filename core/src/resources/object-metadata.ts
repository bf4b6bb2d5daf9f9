import { resourceErrors } from './errors.js';
import type { KindEntry } from './kind-entry.js';
import { isJsonObject, memberOf, type JsonObject } from './schema/json-value.js';
import type { Body, ObjectMeta } from './stored-object.js';
import { label } from './target.js';

/** What the platform gives a new object. */
export interface Birth {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly uid: string;
  readonly time: string;
}

/** The metadata of a new object: what its author may say, and its birth. */
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

/** Fields that no author sets; an update that leaves one out, or repeats it, keeps it. */
const kept = ['uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const;

/** The metadata of an update: what its author wrote, and what the platform keeps. Changes of kept fields are left for validation to name. */
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

/** `object` without members that are not there, or are the empty list or map that Kubernetes leaves out too. */
function withoutAbsent(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name, value]) => value !== undefined && !isEmpty(name, value)));
}

/** What is empty and of another type than the field's is left for validation to name. */
function isEmpty(name: string, value: unknown): boolean {
  if (maps.has(name)) return isJsonObject(value) && Object.keys(value).length === 0;
  return lists.has(name) && Array.isArray(value) && value.length === 0;
}

const maps = new Set(['labels', 'annotations']);
const lists = new Set(['finalizers', 'ownerReferences', 'managedFields']);

/** `object` with other metadata. */
export const withMetadata = (object: JsonObject, metadata: JsonObject): Body => {
  const changed: JsonObject = { ...object, metadata };
  return changed as Body;
};

/** The metadata somebody wrote, or none. */
export const metadataOf = (object: JsonObject): JsonObject => {
  const metadata = memberOf(object, 'metadata');
  return isJsonObject(metadata) ? metadata : {};
};

/** @throws TAP_OBJECT_CONFLICT when the written uid or resourceVersion is not that of the stored object */
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

import { canonicalJson, isJsonObject, memberOf, valueAt, withMembers, type JsonObject } from '../schema/json-value.js';
import { annotationsBytesMax } from '../schema/metadata-rules.js';
import { parseJson } from '../schema/json-document.js';
import { compare } from './comparison.js';
import type { FieldType } from '../schema/field-type.js';
import { ownedSet } from './owned-set.js';
import { difference, emptySet, type PathSet } from './path-set.js';

/** The annotation in which client-side `kubectl apply` stores the applied configuration. */
const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';
/** The only manager whose applies keep the annotation up to date, so that users can return to client-side apply. */
export const lastAppliedManager = 'kubectl';

function lastAppliedOf(object: JsonObject): string | undefined {
  const text = valueAt(object, ['metadata', 'annotations', lastAppliedAnnotation]);
  return typeof text === 'string' && text !== '' ? text : undefined;
}

/**
 * Returns the fields that client-side apply set and that have not changed since. Conflicts over them are ignored, since the same user now
 * applies on the server.
 */
export function fieldsOfLastApplied(type: FieldType, live: JsonObject): PathSet {
  const text = lastAppliedOf(live);
  const applied = text === undefined ? undefined : readObject(text);
  if (applied === undefined || applied['apiVersion'] !== live['apiVersion']) return emptySet;
  const { added, removed, modified } = compare(type, applied, live);
  return [modified, added, removed].reduce(difference, ownedSet(type, applied));
}

function readObject(text: string): JsonObject | undefined {
  try {
    const { value } = parseJson(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Returns `object` with its annotation, if present, updated to `configuration`; the annotation is dropped if it does not fit. */
export function withLastApplied(object: JsonObject, configuration: JsonObject): JsonObject {
  const annotations = valueAt(object, ['metadata', 'annotations']);
  if (lastAppliedOf(object) === undefined || !isJsonObject(annotations)) return object;
  const text = `${canonicalJson(withAnnotation(configuration, undefined))}\n`;
  const bytes = Object.entries(annotations)
    .filter(([key]) => key !== lastAppliedAnnotation)
    .reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(String(value)), Buffer.byteLength(text));
  return withAnnotation(object, bytes + lastAppliedAnnotation.length > annotationsBytesMax ? undefined : text);
}

function withAnnotation(object: JsonObject, text: string | undefined): JsonObject {
  const metadata = memberOf(object, 'metadata');
  const annotations = memberOf(metadata, 'annotations');
  if (!isJsonObject(metadata) || !isJsonObject(annotations)) return object;
  const kept = withMembers(annotations, new Map([[lastAppliedAnnotation, text]]));
  return withMembers(object, new Map([['metadata', withMembers(metadata, new Map([['annotations', kept]]))]]));
}

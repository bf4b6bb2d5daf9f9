import { freezeDeep } from '@tappaas/sdk';
import { isJsonObject, memberOf, withMembers, type JsonObject } from './schema/json-value.js';

/** Replaces every hidden value; valid under the schema itself. */
const hiddenValue = Buffer.from('[redacted]').toString('base64');

const hiddenFields = ['data', 'stringData'];
/** kubectl stores the whole object in this annotation, including values. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** Returns the object without its values; keys, type and metadata stay. */
export function redacted(object: JsonObject): JsonObject {
  const members = new Map<string, unknown>();
  for (const field of hiddenFields) {
    const values = memberOf(object, field);
    if (isJsonObject(values)) members.set(field, Object.fromEntries(Object.keys(values).map((key) => [key, hiddenValue])));
  }
  const metadata = object['metadata'];
  const annotations = memberOf(metadata, 'annotations');
  if (isJsonObject(metadata) && memberOf(annotations, lastApplied) !== undefined) {
    members.set('metadata', { ...metadata, annotations: { ...(annotations as JsonObject), [lastApplied]: '[redacted]' } });
  }
  return freezeDeep(withMembers(object, members));
}

/** Returns `object` with the values of `original` wherever the redacted placeholder was left unchanged. */
export function restored(object: JsonObject, original: JsonObject): JsonObject {
  const members = new Map<string, unknown>();
  for (const field of hiddenFields) {
    const values = memberOf(object, field);
    const hidden = memberOf(original, field);
    if (!isJsonObject(values) || !isJsonObject(hidden)) continue;
    const entries = Object.entries(values).map(([key, value]) => [key, value === hiddenValue ? (memberOf(hidden, key) ?? value) : value]);
    members.set(field, Object.fromEntries(entries));
  }
  const metadata = object['metadata'];
  const before = memberOf(memberOf(original, 'metadata'), 'annotations');
  const annotations = memberOf(metadata, 'annotations');
  if (isJsonObject(metadata) && memberOf(annotations, lastApplied) === '[redacted]') {
    members.set('metadata', { ...metadata, annotations: { ...(annotations as JsonObject), [lastApplied]: memberOf(before, lastApplied) } });
  }
  return withMembers(object, members);
}

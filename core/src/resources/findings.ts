import type { Cause } from '../ports/engine.js';
import type { KindEntry } from './kind-entry.js';
import { forbidden } from './schema/cause.js';
import { immutableCauses } from './schema/immutable-fields.js';
import { equalJson, type JsonObject } from './schema/json-value.js';
import { labelCountCauses, metadataCauses, metadataUpdateCauses } from './schema/metadata-rules.js';
import { validate, validateChange, validateMembers } from './schema/validation.js';
import { changesSpec } from './spec-change.js';
import type { Body, StoredObject } from './stored-object.js';

/**
 * Validates an object, skipping what has not changed, so that objects stored under an older schema can still be finished and reported on.
 *
 * @param sound a state that the object was derived from and that passes schema validation
 */
export function findings(entry: KindEntry, object: Body, previous: StoredObject | undefined, sound?: Body): readonly Cause[] {
  const names = entry.strategy.names ?? 'subdomain';
  const metadata: JsonObject = object.metadata;
  // With too many labels, skip checking each of them.
  const manyLabels = labelCountCauses(metadata['labels'], previous?.object.metadata.labels);
  if (manyLabels.length > 0) return manyLabels;
  const causes: Cause[] = [...metadataCauses(metadata, { scope: entry.isNamespaced ? 'Namespaced' : 'Cluster', names })];
  if (previous) {
    causes.push(...metadataUpdateCauses(previous.object.metadata, metadata));
    causes.push(...lateFinalizers(previous.object, object));
  }
  const hasNewSpec = previous === undefined || changesSpec(entry, previous.object, object);
  if (hasNewSpec) {
    const misfits = sound ? validateChange(entry.hub.type, object, sound) : validate(entry.hub.type, object);
    causes.push(...misfits.filter(({ field }) => !isMetadataRule(field, causes)));
    if (previous) causes.push(...immutableCauses(entry.immutable, previous.object, object));
    if (causes.length === 0) causes.push(...(entry.behaviour.check?.(object, previous?.object) ?? []));
  } else {
    const touched = ['metadata', 'status'].filter((part) => !equalJson(previous.object[part], object[part]));
    causes.push(...validateMembers(entry.hub.type, object, touched).filter(({ field }) => !isMetadataRule(field, causes)));
  }
  return causes;
}

/** A terminating object may lose finalizers but not gain any; otherwise its deletion might never finish. */
function lateFinalizers(previous: Body, object: Body): readonly Cause[] {
  if (previous.metadata.deletionTimestamp === undefined) return [];
  const known = new Set(previous.metadata.finalizers);
  const finalizers: unknown = object.metadata.finalizers;
  // A value that is not a list is reported by schema validation.
  const added = Array.isArray(finalizers) ? finalizers.filter((name: string) => !known.has(name)) : [];
  if (added.length === 0) return [];
  return [forbidden('metadata.finalizers', `no new finalizers can be added if the object is being deleted, found ${added.join(', ')}`)];
}

/** The schema and the metadata rules may find the same fault; report it once. */
const isMetadataRule = (field: string, known: readonly Cause[]): boolean =>
  field.startsWith('metadata') && known.some((cause) => cause.field === field);

import { below, forbidden, invalid, required, tooLong, type Cause } from './cause.js';
import { isJsonObject, memberOf, type JsonObject } from './json-value.js';
import { isDns1035Label, isDns1123Label, isDns1123Subdomain, isLabelValue, isPathSegment, isQualifiedName } from './names.js';

/** Maximum total size of the keys and values of all annotations. */
export const annotationsBytesMax = 256 * 1024;
/** Limited because access control evaluates the labels of an object on each request. */
export const labelsMax = 128;
const finalizersMax = 1_000;
const ownersMax = 1_000;

/** The form that a kind requires of names. */
export type NameForm = 'subdomain' | 'label' | 'service' | 'path-segment';

const nameForms: Readonly<Record<NameForm, (name: string) => readonly string[]>> = {
  subdomain: isDns1123Subdomain,
  label: isDns1123Label,
  service: isDns1035Label,
  'path-segment': isPathSegment,
};

/** The rules of a kind for metadata. */
export interface MetadataRules {
  readonly scope: 'Namespaced' | 'Cluster';
  readonly names: NameForm;
}

/** Validates `metadata` as Kubernetes does for every kind. The types of its fields are checked by the schema. */
export function metadataCauses(metadata: JsonObject, rules: MetadataRules): readonly Cause[] {
  const causes = [
    ...nameCauses(metadata, rules),
    ...namespaceCauses(metadata, rules),
    ...labelCauses(metadata['labels'], 'labels'),
    ...annotationCauses(metadata['annotations']),
    ...finalizerCauses(metadata['finalizers']),
    ...ownerCauses(metadata['ownerReferences']),
  ];
  return causes.map((cause) => below('metadata', cause));
}

function nameCauses(metadata: JsonObject, rules: MetadataRules): Cause[] {
  const { name, generateName } = metadata;
  const check = nameForms[rules.names];
  const causes: Cause[] = [];
  if (typeof generateName === 'string' && generateName !== '') {
    // The generated suffix makes an end such as `-` valid, so check with a letter appended.
    for (const rule of check(`${generateName.slice(0, 58)}x`)) causes.push(invalid('generateName', generateName, rule));
  }
  if (typeof name !== 'string' || name === '') {
    if (causes.length === 0) causes.push(required('name', 'name or generateName is required'));
  } else {
    for (const rule of check(name)) causes.push(invalid('name', name, rule));
  }
  return causes;
}

function namespaceCauses(metadata: JsonObject, rules: MetadataRules): Cause[] {
  const { namespace } = metadata;
  if (rules.scope === 'Cluster')
    return namespace === undefined || namespace === '' ? [] : [forbidden('namespace', 'not allowed on this type')];
  if (typeof namespace !== 'string' || namespace === '') return [required('namespace')];
  return isDns1123Label(namespace).map((rule) => invalid('namespace', namespace, rule));
}

/** Refuses too many labels; an object stored with more may keep that number. */
export function labelCountCauses(labels: unknown, before: unknown): readonly Cause[] {
  const count = isJsonObject(labels) ? Object.keys(labels).length : 0;
  if (count <= labelsMax || (isJsonObject(before) && count <= Object.keys(before).length)) return [];
  return [invalid('metadata.labels', count, `must have at most ${labelsMax} entries`)];
}

/** Validates a map of labels at `field`. */
function labelCauses(labels: unknown, field: string): Cause[] {
  if (!isJsonObject(labels)) return [];
  return Object.entries(labels).flatMap(([key, value]) => [
    ...isQualifiedName(key).map((rule) => invalid(field, key, rule)),
    ...(typeof value === 'string' ? isLabelValue(value).map((rule) => invalid(field, value, rule)) : []),
  ]);
}

function annotationCauses(annotations: unknown): Cause[] {
  if (!isJsonObject(annotations)) return [];
  let bytes = 0;
  const causes: Cause[] = [];
  for (const [key, value] of Object.entries(annotations)) {
    // Annotation prefixes may contain upper case, for compatibility with old keys.
    for (const rule of isQualifiedName(key.toLowerCase())) causes.push(invalid('annotations', key, rule));
    bytes += Buffer.byteLength(key) + (typeof value === 'string' ? Buffer.byteLength(value) : 0);
  }
  return bytes > annotationsBytesMax ? [...causes, tooLong('annotations', annotationsBytesMax, 'bytes')] : causes;
}

function finalizerCauses(finalizers: unknown): Cause[] {
  if (!Array.isArray(finalizers)) return [];
  if (finalizers.length > finalizersMax) return [invalid('finalizers', finalizers.length, `must have at most ${finalizersMax} items`)];
  const causes = finalizers.flatMap((name: unknown, index) =>
    typeof name === 'string' ? isQualifiedName(name).map((rule) => invalid(`finalizers[${index}]`, name, rule)) : [],
  );
  const both = finalizers.includes('orphan') && finalizers.includes('foregroundDeletion');
  return both ? [...causes, invalid('finalizers', finalizers, 'finalizer orphan and foregroundDeletion cannot be both set')] : causes;
}

function ownerCauses(owners: unknown): Cause[] {
  if (!Array.isArray(owners)) return [];
  if (owners.length > ownersMax) return [invalid('ownerReferences', owners.length, `must have at most ${ownersMax} items`)];
  const causes = owners.flatMap((owner: unknown, index) =>
    ['apiVersion', 'kind', 'name', 'uid']
      .filter((name) => memberOf(owner, name) === '')
      .map((name) => invalid(`ownerReferences[${index}].${name}`, '', 'must not be empty')),
  );
  const controllers = owners.filter((owner: unknown) => memberOf(owner, 'controller') === true);
  if (controllers.length > 1) {
    causes.push(invalid('ownerReferences', controllers.length, 'only one reference can have controller set to true'));
  }
  return causes;
}

/** Metadata fields that the platform sets and updates cannot change. */
const fixed = ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const;

/** Reports changed metadata fields that are immutable; a field that an update omits counts as unchanged. */
export function metadataUpdateCauses(previous: JsonObject, next: JsonObject): readonly Cause[] {
  return fixed
    .filter((name) => next[name] !== undefined && next[name] !== previous[name])
    .map((name) => invalid(`metadata.${name}`, next[name], 'field is immutable'));
}

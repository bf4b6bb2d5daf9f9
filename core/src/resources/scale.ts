import { kubernetesSchemas, type OpenApiSchema } from '@tappaas/sdk/kubernetes';
import type { ServedKind } from '../ports/engine.js';
import type { KindEntry, KindVersionEntry } from './kind-entry.js';
import { closureOf } from './kind-schema.js';
import { fieldType, type FieldType } from './schema/field-type.js';
import { isJsonObject, valueAt, type JsonObject } from './schema/json-value.js';
import { labelSelectorOf, labelSelectorText } from './selectors/label-selector.js';
import { StoredObject, type Body } from './stored-object.js';

/** The version of the Scale body; no stored kind serves it. */
export const scaleVersion: KindVersionEntry = (() => {
  const schemaName = 'io.k8s.api.autoscaling.v1.Scale';
  const components = (): Readonly<Record<string, OpenApiSchema>> => closureOf(schemaName, kubernetesSchemas);
  let type: FieldType | undefined;
  const served: ServedKind = {
    group: 'autoscaling',
    version: 'v1',
    kind: 'Scale',
    plural: 'scales',
    singular: 'scale',
    scope: 'Namespaced',
    description: 'How many replicas there are and should be.',
    shortNames: [],
    categories: [],
    verbs: [],
    subresources: [],
    schemaName,
    components,
    columns: [],
    strategicMerge: true,
    orphaned: false,
  };
  return Object.freeze({
    served,
    apiVersion: 'autoscaling/v1',
    conversion: undefined,
    get type(): FieldType {
      type ??= fieldType(kubernetesSchemas[schemaName] ?? {}, kubernetesSchemas);
      return type;
    },
  });
})();

const namesOf = (path: string): readonly string[] => path.replace(/^\./, '').split('.');

/** Returns the autoscaling/v1 Scale of an object, with the metadata that a scaler needs. */
export function asScale(stored: StoredObject, entry: KindEntry, epoch: number): StoredObject {
  const { object } = stored;
  const { name, namespace, uid, creationTimestamp } = object.metadata;
  const at = (path: string | undefined): unknown => (path === undefined ? undefined : valueAt(object, namesOf(path)));
  const replicas = at(entry.scale?.replicasPath);
  const selector = selectorText(at(entry.scale?.selectorPath));
  const scale = {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace !== undefined && { namespace }), uid, creationTimestamp },
    spec: { ...(typeof replicas === 'number' && replicas !== 0 && { replicas }) },
    status: { replicas: at(entry.scale?.statusReplicasPath) ?? 0, ...(selector !== undefined && { selector }) },
  };
  return new StoredObject({ object: scale }, stored.revision, epoch);
}

/** Returns the object with the number of replicas of a Scale. */
export function scaled(object: Body, entry: KindEntry, scale: JsonObject): Body {
  const replicas = valueAt(scale, ['spec', 'replicas']) ?? 0;
  return set(object, namesOf(entry.scale?.replicasPath ?? ''), replicas) as Body;
}

function set(object: JsonObject, [name, ...rest]: readonly string[], value: unknown): JsonObject {
  if (name === undefined) return object;
  if (rest.length === 0) return { ...object, [name]: value };
  const inner = object[name];
  return { ...object, [name]: set(isJsonObject(inner) ? inner : {}, rest, value) };
}

/** Formats a selector for the status of a Scale; services and old controllers have it as text or plain labels. */
function selectorText(selector: unknown): string | undefined {
  if (typeof selector === 'string') return selector;
  return isJsonObject(selector) ? labelSelectorText(labelSelectorOf(selector)) : undefined;
}

import { memberOf, equalJson, isJsonObject, valueAt, type JsonObject } from '../schema/json-value.js';
import type { FieldType } from '../schema/field-type.js';
import type { Cause } from '../schema/cause.js';
import { capUpdaters } from './updater-cap.js';
import { configurationFindings } from './configuration-rules.js';
import { conflictReport } from './conflict.js';
import { fieldsOfLastApplied, lastAppliedManager, withLastApplied } from './last-applied.js';
import { managerKey, readManagers, withManagers, type Manager, type Managers } from './managed-fields.js';
import { afterApply, afterUpdate, type AppliedOwnership, type OwnershipRules, type VersionView } from './ownership.js';
import { atAtomicPlaces, difference, equalSets, isEmpty, namedPaths, union, type PathSet } from './path-set.js';

/** The writer, its request, and the kind of the object. */
export interface FieldManagerRequest {
  readonly type: FieldType;
  /** API version of the request, which is also that of `live` and of the new object. */
  readonly apiVersion: string;
  /** `fieldManager` of the request, else the first part of its user agent. */
  readonly manager: string;
  readonly subresource?: string;
  /** Now, as RFC 3339 in whole seconds. */
  readonly time: string;
  /** Paths that this kind of request never changes: `[['status']]` on the main resource, `[['spec'], …]` on status. */
  readonly ignored?: readonly (readonly string[])[];
  /** Converts to other served versions; without it, managers of other versions lose their ownership. */
  readonly view?: (apiVersion: string) => VersionView | undefined;
  /** The object before its creation; see `emptyObject`. */
  readonly empty: JsonObject;
}

/** The result of an apply. */
export type ApplyResult =
  | {
      readonly outcome: 'applied';
      readonly object: JsonObject;
      /** The object did not change, apart from its ownership. */ readonly isUnchanged: boolean;
    }
  | { readonly outcome: 'conflict'; readonly message: string; readonly causes: readonly Cause[] }
  | { readonly outcome: 'invalid'; readonly findings: readonly string[] };

/** Fields that identify the object or are set by the platform; they have no owner. */
const platformFields: PathSet = namedPaths([
  ['apiVersion'],
  ['kind'],
  ['metadata'],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map(
    (name) => ['metadata', name],
  ),
]);

/**
 * Returns `next` with the `managedFields` after a create, update or patch: the writer owns what differs from `live`, regardless of the
 * previous owner. Call it with the defaulted object, before admission. `live` is undefined on create.
 *
 * As in kube-apiserver, `managedFields: [{}]` in `next` resets them, and an object without any stays untracked until it is applied.
 *
 * @source https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export function trackUpdate(live: JsonObject | undefined, next: JsonObject, request: FieldManagerRequest): JsonObject {
  const managers = managersForUpdate(live, next, request.subresource !== undefined);
  const isTracked = live === undefined || managers.size > 0;
  if (!isTracked) return withManagers(next, new Map());
  return withManagers(next, updated(live ?? request.empty, next, managers, request));
}

function managersForUpdate(live: JsonObject | undefined, next: JsonObject, isSubresource: boolean): Managers {
  const kept = readManagers(live) ?? new Map<string, Manager>();
  if (isSubresource) return kept;
  const given = valueAt(next, ['metadata', 'managedFields']);
  if (Array.isArray(given) && given.length === 1 && isJsonObject(given[0]) && Object.keys(given[0]).length === 0) return new Map();
  const own = readManagers(next);
  return own === undefined || own.size === 0 ? kept : own;
}

function updated(live: JsonObject, next: JsonObject, managers: Managers, request: FieldManagerRequest, name = request.manager): Managers {
  const [before, after] = [withoutManagedFields(live), withoutManagedFields(next)];
  const self = { name: name || 'unknown', operation: 'Update', apiVersion: request.apiVersion, subresource: request.subresource } as const;
  const key = managerKey(self);
  const taken = afterUpdate(rulesOf(request), before, after, fitted(managers, request), key);
  const fields = difference(taken.fields, platformFields);
  if (isEmpty(fields)) return capUpdaters(taken.managers);
  const previous = taken.managers.get(key);
  const all = previous === undefined ? fields : union(previous.fields, fields);
  // Keep the same entry object, so that it need not be serialized or compared again.
  if (previous?.fields === all && previous.time === request.time) return capUpdaters(taken.managers);
  return capUpdaters(new Map(taken.managers).set(key, { ...self, time: request.time, fields: all }));
}

const withoutManagedFields = (object: JsonObject): JsonObject => {
  const metadata = memberOf(object, 'metadata');
  if (!isJsonObject(metadata)) return object;
  const { managedFields: _, ...rest } = metadata;
  return Object.freeze({ ...object, metadata: Object.freeze(rest) });
};

function rulesOf(request: FieldManagerRequest): OwnershipRules {
  const { type, apiVersion, view = () => undefined } = request;
  return { type, apiVersion, ignored: namedPaths(request.ignored ?? []), view };
}

/** Adapts the sets of all managers to the current schema. */
function fitted(managers: Managers, request: FieldManagerRequest): Managers {
  return new Map(
    [...managers].map(([key, manager]) => {
      const type = manager.apiVersion === request.apiVersion ? request.type : request.view?.(manager.apiVersion)?.type;
      const fields = type === undefined ? manager.fields : atAtomicPlaces(manager.fields, type);
      return [key, fields === manager.fields ? manager : { ...manager, fields }];
    }),
  );
}

/**
 * Server-side apply: merges `configuration` into `live` (undefined: the object is created), and updates `managedFields`.
 *
 * The applier comes to own the fields in its configuration, shared with others that set the same value. Fields of its previous apply that
 * are now missing are removed unless another manager owns them. A value that differs from another manager's is a conflict, unless `force`
 * takes the field over.
 *
 * @source https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export function applyConfiguration(
  live: JsonObject | undefined,
  configuration: JsonObject,
  request: FieldManagerRequest & { readonly force: boolean },
): ApplyResult {
  const findings = requestFindings(configuration, request);
  const managers = readManagers(live);
  if (managers === undefined) return { outcome: 'invalid', findings: ['.metadata.managedFields: cannot be read; reset it with [{}]'] };
  if (findings.length > 0) return { outcome: 'invalid', findings };
  const known = managers.size > 0 || live === undefined ? managers : updated(request.empty, live, managers, request, 'before-first-apply');
  const { apiVersion, kind } = request.empty;
  const before = live === undefined ? Object.freeze({ apiVersion, kind }) : withoutManagedFields(live);
  return applied(before, configuration, fitted(known, request), request, managers);
}

function requestFindings(configuration: JsonObject, request: FieldManagerRequest): readonly string[] {
  if (valueAt(configuration, ['metadata', 'managedFields']) !== undefined)
    return ['.metadata.managedFields: must be left out of what is applied'];
  if (configuration['apiVersion'] !== request.apiVersion) {
    return [`.apiVersion: expected ${request.apiVersion}, got ${JSON.stringify(configuration['apiVersion']) ?? 'nothing'}`];
  }
  return configurationFindings(request.type, configuration);
}

function applied(
  live: JsonObject,
  configuration: JsonObject,
  managers: Managers,
  request: FieldManagerRequest & { readonly force: boolean },
  former: Managers,
): ApplyResult {
  const self = {
    name: request.manager || 'unknown',
    operation: 'Apply',
    apiVersion: request.apiVersion,
    subresource: request.subresource,
  } as const;
  const key = managerKey(self);
  const result = afterApply(rulesOf(request), live, configuration, managers, {
    key,
    manager: { ...self, time: request.time },
    force: request.force,
  });
  const isKubectl = request.manager === lastAppliedManager;
  const allowed = isKubectl && result.conflicts.size > 0 ? fieldsOfLastApplied(request.type, live) : undefined;
  const left = new Map(
    [...result.conflicts]
      .map(([name, set]) => [name, allowed === undefined ? set : difference(set, allowed)] as const)
      .filter(([, set]) => !isEmpty(set)),
  );
  if (left.size > 0) return { outcome: 'conflict', ...conflictReport(left, managers) };
  const object = isKubectl ? withLastApplied(result.object, configuration) : result.object;
  return { outcome: 'applied', object: withManagers(object, stamped(result, key, request.time, former)), isUnchanged: result.isUnchanged };
}

/** Removes the platform's fields from the applier's set, and sets the time of this apply if anything changed. */
function stamped(result: AppliedOwnership, key: string, time: string, former: Managers): Managers {
  const managers = new Map(result.managers);
  const own = managers.get(key);
  if (own === undefined) return managers;
  const fields = difference(own.fields, platformFields);
  managers.set(key, { ...own, fields });
  const isSameAsBefore = result.isUnchanged && equalManagers(managers, former);
  return managers.set(key, { ...own, fields, time: isSameAsBefore ? own.time : time });
}

function equalManagers(left: Managers, right: Managers): boolean {
  const kept = [...left].filter(([, manager]) => !isEmpty(manager.fields));
  return kept.length === right.size && kept.every(([key, manager]) => equalManager(manager, right.get(key)));
}

const equalManager = (left: Manager, right: Manager | undefined): boolean =>
  right !== undefined && left.apiVersion === right.apiVersion && equalSets(left.fields, right.fields);

/** Returns `live` itself when `next` differs from it only in the times of managedFields, so that a write without changes is not stored. */
export function ignoringTimes(live: JsonObject, next: JsonObject): JsonObject {
  if (!equalJson(withoutManagedFields(live), withoutManagedFields(next))) return next;
  const [before, after] = [readManagers(live), readManagers(next)];
  return before !== undefined && after !== undefined && equalManagers(after, before) ? live : next;
}

/**
 * Returns an object as it is before creation, which determines what its creator owns. A Go server starts from a struct, whose plain struct
 * fields and required lists exist already. Objects of our own kinds start empty.
 */
export function emptyObject(
  type: FieldType,
  identity: { readonly apiVersion: string; readonly kind: string },
  isKubernetes: boolean,
): JsonObject {
  return Object.freeze({ ...(isKubernetes ? emptyStruct(type) : { metadata: Object.freeze({}) }), ...identity });
}

function emptyStruct(type: FieldType): JsonObject {
  const members: [string, unknown][] = [];
  for (const [name, field] of type.fields) {
    if (isJsonObject(field.schema.default)) members.push([name, emptyStruct(field)]);
    else if (type.required.has(name) && field.shape !== 'scalar') members.push([name, null]);
  }
  return Object.freeze(Object.fromEntries(members));
}

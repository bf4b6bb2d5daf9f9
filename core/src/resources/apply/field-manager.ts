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

/** Who writes, how, and what its kind is. */
export interface FieldManagerRequest {
  readonly type: FieldType;
  /** Version of the request, in which `live` and the new object are given as well. */
  readonly apiVersion: string;
  /** `fieldManager` of the request, else the first part of its user agent. */
  readonly manager: string;
  readonly subresource?: string;
  /** Now, as RFC 3339 in whole seconds. */
  readonly time: string;
  /** Paths that this sort of request never changes: `[['status']]` on the main resource, `[['spec'], …]` on status. */
  readonly ignored?: readonly (readonly string[])[];
  /** The object as other served versions show it; without it, managers of other versions own nothing any more. */
  readonly view?: (apiVersion: string) => VersionView | undefined;
  /** What the object is before its creation; see `emptyObject`. */
  readonly empty: JsonObject;
}

/** What an apply came to. */
export type ApplyResult =
  | {
      readonly outcome: 'applied';
      readonly object: JsonObject;
      /** The object is as it was, apart from who owns it. */ readonly isUnchanged: boolean;
    }
  | { readonly outcome: 'conflict'; readonly message: string; readonly causes: readonly Cause[] }
  | { readonly outcome: 'invalid'; readonly findings: readonly string[] };

/** Fields that name the object or that the platform sets: nobody owns them. */
const platformFields: PathSet = namedPaths([
  ['apiVersion'],
  ['kind'],
  ['metadata'],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map(
    (name) => ['metadata', name],
  ),
]);

/**
 * `next` with the `managedFields` that a create, update or patch leaves behind: the writer owns what differs from `live`, whoever owned it
 * before. Call it with the defaulted object, before admission. `live` is absent on create.
 *
 * As in kube-apiserver, `managedFields: [{}]` in `next` resets them, and an object without any stays without until it is applied.
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
  // The same entry, so that nobody has to write or compare it again.
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

/** Managers with their sets as today's schema has them. */
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
 * Server-side apply: `configuration` over `live` (absent: the object is created), with the new `managedFields`.
 *
 * The applier comes to own what it says, alone or with others that say the same; what it said last time and leaves out now is removed
 * unless somebody else owns it. A value that differs from another manager's is a conflict, unless `force` takes the field over.
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

/** The applier's fields without those that nobody owns, and with the time of this apply if it changed anything. */
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

/**
 * `live` itself when `next` differs from it in the times of managedFields only, so that a write which changes nothing is no write.
 */
export function ignoringTimes(live: JsonObject, next: JsonObject): JsonObject {
  if (!equalJson(withoutManagedFields(live), withoutManagedFields(next))) return next;
  const [before, after] = [readManagers(live), readManagers(next)];
  return before !== undefined && after !== undefined && equalManagers(after, before) ? live : next;
}

/**
 * What an object is before it is created, which decides what its creator owns. A Go server starts from a struct: its plain struct fields
 * and required lists are there already. Objects of our kinds start from nothing.
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

import type { FieldType } from '../schema/field-type.js';
import type { JsonObject } from '../schema/json-value.js';
import { compare, exclude, isSame, type Comparison } from './comparison.js';
import type { Manager, Managers } from './managed-fields.js';
import { mergeConfiguration } from './merging.js';
import { ownedSet } from './owned-set.js';
import { difference, emptySet, intersection, isEmpty, union, without, withNamedParents, type PathSet } from './path-set.js';
import { removePaths } from './removal.js';

/**
 * Converts an object to another version of its kind, because a manager's paths refer to the version it wrote. Objects that lack fields,
 * even required ones, are converted too. Where that throws, an apply removes nothing, and the fields it would have removed lose their
 * owner.
 */
export interface VersionView {
  readonly type: FieldType;
  show(object: JsonObject): JsonObject;
  /** Converts back to the version of the request. */
  restore(object: JsonObject): JsonObject;
}

/** The facts about a request that ownership depends on. */
export interface OwnershipRules {
  readonly type: FieldType;
  readonly apiVersion: string;
  /** Paths that this kind of request does not change, such as status on the main resource; the writer does not come to own them. */
  readonly ignored: PathSet;
  /** Views of other versions; a manager of an unknown version owns nothing. */
  readonly view: (apiVersion: string) => VersionView | undefined;
}

/** Fields that other managers own and the request would change, by manager. */
export type Conflicts = ReadonlyMap<string, PathSet>;

interface Taken {
  readonly managers: Map<string, Manager>;
  readonly comparison: Comparison;
  readonly conflicts: Conflicts;
}

/** The writer: an applier's set is replaced by this request, an updater keeps its fields except those it removes. */
type Self = { readonly applier: string } | { readonly updater: string };

/** Removes from all managers but `self` the ownership of what changes between `before` and `after`. */
function take(rules: OwnershipRules, before: JsonObject, after: JsonObject, managers: Managers, self: Self): Taken {
  const comparison = compare(rules.type, before, after);
  const byVersion = new Map<string, Comparison | undefined>([[rules.apiVersion, exclude(comparison, rules.ignored)]]);
  const left = new Map<string, Manager>();
  const conflicts = new Map<string, PathSet>();
  for (const [key, manager] of managers) {
    if ('applier' in self && key === self.applier) {
      left.set(key, manager);
      continue;
    }
    if (!byVersion.has(manager.apiVersion)) byVersion.set(manager.apiVersion, compareIn(rules, manager.apiVersion, before, after));
    const changes = byVersion.get(manager.apiVersion);
    if (changes === undefined) continue;
    const isOwn = 'updater' in self && key === self.updater;
    const conflict = isOwn ? emptySet : intersection(manager.fields, union(changes.modified, changes.added));
    if (!isEmpty(conflict)) conflicts.set(key, conflict);
    const fields = difference(difference(manager.fields, conflict), changes.removed);
    if (!isEmpty(fields)) left.set(key, fields === manager.fields ? manager : { ...manager, fields });
  }
  return { managers: left, comparison, conflicts };
}

function compareIn(rules: OwnershipRules, apiVersion: string, before: JsonObject, after: JsonObject): Comparison | undefined {
  const view = rules.view(apiVersion);
  return view === undefined ? undefined : exclude(compare(view.type, view.show(before), view.show(after)), rules.ignored);
}

/** Ownership after an update: the writer owns what it changed, and other managers lose it. `fields` is what the writer, `self`, gains. */
export function afterUpdate(
  rules: OwnershipRules,
  before: JsonObject,
  after: JsonObject,
  managers: Managers,
  self: string,
): { readonly managers: Managers; readonly fields: PathSet } {
  const taken = take(rules, before, after, managers, { updater: self });
  return { managers: taken.managers, fields: without(union(taken.comparison.modified, taken.comparison.added), rules.ignored) };
}

/** Ownership and object after an apply; meaningless if there are conflicts. */
export interface AppliedOwnership {
  readonly object: JsonObject;
  readonly managers: Managers;
  readonly conflicts: Conflicts;
  readonly isUnchanged: boolean;
}

/** Applies `configuration` as `manager`; its previous entry is in `managers` under `key`. */
export function afterApply(
  rules: OwnershipRules,
  live: JsonObject,
  configuration: JsonObject,
  managers: Managers,
  applier: { readonly key: string; readonly manager: Omit<Manager, 'fields'>; readonly force: boolean },
): AppliedOwnership {
  const merged = mergeConfiguration(rules.type, live, configuration);
  const fields = without(ownedSet(rules.type, configuration), rules.ignored);
  const last = managers.get(applier.key);
  const claimed = new Map(managers).set(applier.key, { ...applier.manager, fields, time: last?.time });
  const object = last === undefined || isKept(last, applier.manager.apiVersion, fields) ? merged : prune(rules, merged, claimed, last);
  const taken = take(rules, live, object, claimed, { applier: applier.key });
  const owned = taken.managers.get(applier.key);
  if (owned !== undefined && isEmpty(owned.fields)) taken.managers.delete(applier.key);
  const conflicts = applier.force ? new Map<string, PathSet>() : taken.conflicts;
  return { object, managers: taken.managers, conflicts, isUnchanged: isSame(taken.comparison) };
}

/** Whether the applier gives up no fields, as in most applies; then there is nothing to prune. */
const isKept = (last: Manager, apiVersion: string, fields: PathSet): boolean =>
  last.apiVersion === apiVersion && isEmpty(difference(last.fields, fields));

/** Removes what the applier applied last time, does not apply now, and no other manager owns. */
function prune(rules: OwnershipRules, merged: JsonObject, managers: Managers, last: Manager): JsonObject {
  const view = last.apiVersion === rules.apiVersion ? plainView(rules.type) : rules.view(last.apiVersion);
  if (view === undefined || isEmpty(last.fields)) return merged;
  try {
    const whole = view.show(merged);
    const lastSet = withNamedParents(last.fields, view.type);
    const pruned = addBackOwned(rules, whole, removePaths(view.type, whole, lastSet), managers, last.apiVersion, view);
    const gone = difference(everything(view.type, whole), everything(view.type, pruned));
    return view.restore(removePaths(view.type, whole, intersection(gone, lastSet)));
  } catch (error) {
    if ([...managers.values()].every((manager) => manager.apiVersion === last.apiVersion)) throw error;
    return merged;
  }
}

const plainView = (type: FieldType): VersionView => ({ type, show: (object) => object, restore: (object) => object });

const everything = (type: FieldType, object: JsonObject): PathSet => withNamedParents(ownedSet(type, object), type);

/** Restores pruned fields that some manager owns, in whichever version. */
function addBackOwned(
  rules: OwnershipRules,
  whole: JsonObject,
  pruned: JsonObject,
  managers: Managers,
  version: string,
  view: VersionView,
): JsonObject {
  const owned = new Map<string, PathSet>([[version, emptySet]]);
  for (const manager of managers.values()) owned.set(manager.apiVersion, union(owned.get(manager.apiVersion) ?? emptySet, manager.fields));
  let kept = pruned;
  for (const [apiVersion, fields] of owned) {
    const isOwn = apiVersion === version;
    const other = isOwn ? plainView(view.type) : apiVersion === rules.apiVersion ? plainView(rules.type) : rules.view(apiVersion);
    if (other === undefined) continue;
    const [all, rest] = isOwn ? [whole, kept] : [other.show(view.restore(whole)), other.show(view.restore(kept))];
    const stays = union(everything(other.type, rest), withNamedParents(fields, other.type));
    const result = removePaths(other.type, all, difference(everything(other.type, all), stays));
    kept = isOwn ? result : view.show(other.restore(result));
  }
  return kept;
}

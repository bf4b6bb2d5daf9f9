import { freezeDeep } from '@tappaas/sdk';
import { memberType, type FieldType } from '../schema/field-type.js';
import { isJsonObject, type JsonObject } from '../schema/json-value.js';
import { draftOf, isDraftObject, type DraftObject } from './draft.js';
import { mergeItems, orderBy, withoutValues } from './strategic-merge-list.js';
import { patchErrors } from './patch-errors.js';
import { directive, deletePrefix, orderPrefix, materialise } from './strategic-directives.js';

/**
 * Applies a strategic merge patch: like a merge patch, but lists with a merge key are merged item by item, and directives (`$patch`,
 * `$retainKeys`, `$setElementOrder/…`, `$deleteFromPrimitiveList/…`) express what a merge cannot. The schema determines which lists merge.
 *
 * @source https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/ and the design document
 * "strategic merge patch" of the Kubernetes community
 * @throws TAP_PATCH_INVALID for a directive that does not exist, contradicts the patch, or lacks a merge key.
 */
export function applyStrategicMergePatch(type: FieldType, target: JsonObject, patch: unknown): JsonObject {
  if (!isJsonObject(patch)) throw patchErrors.TAP_PATCH_INVALID({ message: 'a strategic merge patch must be a JSON object' });
  const result = mergeObject(type, draftOf(target) as DraftObject, draftOf(patch) as DraftObject);
  return freezeDeep(result);
}

/** Merges `patch` into `target`; both are drafts, and the patch is consumed. */
function mergeObject(type: FieldType | undefined, target: DraftObject, patch: DraftObject): DraftObject {
  const whole = patch[directive.patch];
  if (whole !== undefined) return replaceObject(whole, patch);
  retainKeys(target, patch);
  for (const key of Object.keys(patch).filter((name) => name.startsWith(orderPrefix))) orderList(type, target, patch, key);
  // Deletions come first, so that a patch that deletes and adds the same value keeps it.
  for (const key of Object.keys(patch).filter((name) => name.startsWith(deletePrefix))) deleteValues(target, patch, key);
  for (const [key, value] of Object.entries(patch)) mergeMember(type, target, key, value);
  return target;
}

function replaceObject(whole: unknown, patch: DraftObject): DraftObject {
  if (whole === 'delete') return {};
  if (whole !== 'replace') throw invalid(`$patch must be replace or delete, found ${JSON.stringify(whole)}`);
  delete patch[directive.patch];
  return patch;
}

const invalid = (message: string) => patchErrors.TAP_PATCH_INVALID({ message });

function retainKeys(target: DraftObject, patch: DraftObject): void {
  const list = patch[directive.retainKeys];
  if (list === undefined) return;
  delete patch[directive.retainKeys];
  if (!Array.isArray(list)) throw invalid('$retainKeys must be a list of names');
  const kept = new Set<unknown>(list);
  const isDirective = (key: string): boolean => key.startsWith(orderPrefix) || key.startsWith(deletePrefix);
  const stray = Object.keys(patch).find((key) => patch[key] !== null && !isDirective(key) && !kept.has(key));
  if (stray !== undefined) throw invalid(`${stray} is set by the patch and missing from its $retainKeys`);
  for (const key of Object.keys(target)) if (!kept.has(key)) delete target[key];
}

function mergeMember(type: FieldType | undefined, target: DraftObject, key: string, value: unknown): void {
  const current = Object.hasOwn(target, key) ? target[key] : undefined;
  const known = type === undefined ? undefined : memberType(type, key);
  if (value === null) delete target[key];
  else if (isDraftObject(current) && isDraftObject(value)) {
    target[key] = isReplaced(known) ? materialise(value) : mergeObject(known, current, value);
  } else if (Array.isArray(current) && Array.isArray(value)) target[key] = mergeList(known, current, value);
  else {
    const made = materialise(value);
    if (made === undefined) delete target[key];
    else target[key] = made;
  }
}

const isReplaced = (type: FieldType | undefined): boolean => type?.patch.strategies.includes('replace') === true;

function mergeList(type: FieldType | undefined, current: readonly unknown[], value: readonly unknown[]): readonly unknown[] {
  if (type === undefined || !type.patch.strategies.includes('merge')) return value;
  return mergeItems({ current, patch: value, mergeKey: type.patch.mergeKey, mergeItem: (item, by) => mergeObject(type.items, item, by) });
}

/** Applies `$setElementOrder/name` together with the list `name` of the patch; both are consumed. */
function orderList(type: FieldType | undefined, target: DraftObject, patch: DraftObject, key: string): void {
  const name = key.slice(orderPrefix.length);
  const order = patch[key];
  delete patch[key];
  const [current, changes] = [target[name], patch[name]];
  if (!Array.isArray(order)) throw invalid(`${key} must be a list`);
  if (changes !== undefined && changes !== null && !Array.isArray(changes)) throw invalid(`${name} must be a list, as ${key} says`);
  if (changes === null || (current === undefined && changes === undefined)) return;
  const known = type === undefined ? undefined : memberType(type, name);
  const mergeKey = known?.patch.mergeKey;
  const before = Array.isArray(current) ? current : [];
  const merged =
    changes === undefined ? before : current === undefined ? (materialise(changes) as unknown[]) : mergeList(known, before, changes);
  target[name] = orderBy({ items: merged, order, before, mergeKey, changes: changes ?? [], directive: key });
  delete patch[name];
}

/** Applies `$deleteFromPrimitiveList/name`. */
function deleteValues(target: DraftObject, patch: DraftObject, key: string): void {
  const name = key.slice(deletePrefix.length);
  const values = patch[key];
  delete patch[key];
  if (!Array.isArray(values)) throw invalid(`${key} must be a list of values`);
  const current = target[name];
  if (Array.isArray(current)) target[name] = withoutValues(current, values);
}

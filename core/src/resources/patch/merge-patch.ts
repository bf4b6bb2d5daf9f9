import { isJsonObject, memberOf, withMembers, type JsonObject } from '../schema/json-value.js';
import { patchErrors } from './patch-errors.js';

/**
 * Applies a JSON merge patch to an object; null removes a member, lists are replaced whole.
 *
 * @source RFC 7386
 * @throws TAP_PATCH_INVALID when the patch is not an object.
 */
export function applyMergePatch(target: JsonObject, patch: unknown): JsonObject {
  if (!isJsonObject(patch)) throw patchErrors.TAP_PATCH_INVALID({ message: 'a merge patch must be a JSON object' });
  return merged(target, patch);
}

function merged(target: unknown, patch: JsonObject): JsonObject {
  const base = isJsonObject(target) ? target : Object.freeze({});
  const members = new Map<string, unknown>();
  for (const [key, value] of Object.entries(patch)) {
    const kept = isJsonObject(value) ? merged(memberOf(base, key), value) : value;
    members.set(key, value === null ? undefined : kept);
  }
  return withMembers(base, members);
}

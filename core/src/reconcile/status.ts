import type { Condition } from '@tappaas/sdk';
import { canonicalJson } from './canonical.js';
import { mergeConditions, type StoredCondition } from './conditions.js';
import { statusPatch } from './status-patch.js';

/** The part of the status that all kinds share. */
export interface CommonStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly StoredCondition[];
}

interface WithStatus {
  readonly metadata: { readonly generation?: number };
  readonly status?: unknown;
}

/**
 * Returns the merge patch of the status of `object` for the stated `fields` and `conditions`: a field that is not stated stays, one that is
 * `undefined` is removed, and the observed generation is recorded. Returns undefined when that is stored already.
 */
export function nextStatus(
  object: WithStatus,
  fields: Readonly<Record<string, unknown>>,
  conditions: readonly Condition[],
  nowMs: number,
): Readonly<Record<string, unknown>> | undefined {
  const before = (object.status ?? {}) as CommonStatus & Readonly<Record<string, unknown>>;
  const observedGeneration = object.metadata.generation ?? 1;
  const merged = mergeConditions(before.conditions ?? [], conditions, { nowMs, observedGeneration });
  const stated = { ...fields, observedGeneration, ...(merged.length === 0 ? {} : { conditions: merged }) };
  return canonicalJson({ ...before, ...stated }) === canonicalJson(before) ? undefined : statusPatch(before, stated);
}

import type { Condition } from '@tappaas/sdk';

/** A condition as it is stored. */
export interface StoredCondition extends Condition {
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

export interface ConditionFacts {
  readonly nowMs: number;
  /** Generation of the spec that the new conditions describe. */
  readonly observedGeneration: number;
}

/**
 * Merges `next` into the stored conditions: those of the same type are replaced, others stay, and new ones are appended.
 *
 * The transition time changes only with the status. Returns `previous` itself if nothing changed, so that no write follows.
 */
export function mergeConditions(
  previous: readonly StoredCondition[],
  next: readonly Condition[],
  { nowMs, observedGeneration }: ConditionFacts,
): readonly StoredCondition[] {
  const merged = new Map(previous.map((condition) => [condition.type, condition]));
  for (const { type, status, reason, message } of next) {
    const before = merged.get(type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : new Date(nowMs).toISOString();
    merged.set(type, { type, status, reason, message, lastTransitionTime, observedGeneration });
  }
  const conditions = [...merged.values()];
  const isSame =
    conditions.length === previous.length && conditions.every((condition, index) => isSameCondition(condition, previous[index]));
  return isSame ? previous : conditions;
}

function isSameCondition(one: StoredCondition, other: StoredCondition | undefined): boolean {
  return (
    other !== undefined &&
    one.type === other.type &&
    one.status === other.status &&
    one.reason === other.reason &&
    one.message === other.message &&
    one.lastTransitionTime === other.lastTransitionTime &&
    one.observedGeneration === other.observedGeneration
  );
}

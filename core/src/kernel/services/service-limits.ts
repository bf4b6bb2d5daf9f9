import { families } from '@tappaas/sdk';

/** How long one call of a family's method may take, in milliseconds; the store bounds its own calls. */
const familyLimitsMs: Readonly<Record<string, number>> = {
  [families.store.id]: Infinity,
  [families.cluster.id]: 10_000,
  [families.secretStore.id]: 5000,
  [families.runtime.id]: 100,
  [families.storageClass.id]: 100,
  [families.authenticator.id]: 5000,
  [families.authorizer.id]: 1000,
  [families.builder.id]: 1_800_000,
  [families.input.id]: 10_000,
  [families.notifier.id]: 10_000,
  [families.logSink.id]: 5000,
  [families.auditSink.id]: 5000,
};

/** What every request passes: what is asked there, callers choose. */
const askedByEverybody: ReadonlySet<string> = new Set([families.authenticator.id, families.authorizer.id]);

/**
 * Whether repeated failures cut its provider off. Not where every request passes: a question that makes it fail would shut out everybody
 * else, and whoever is not asked lets nobody in either.
 */
export const serviceHasBreaker = (service: string): boolean => !askedByEverybody.has(service);

/** A plugin's own service: no longer than the longest request. */
const otherLimitMs = 60_000;

export function serviceLimitMs(service: string): number {
  return familyLimitsMs[service] ?? otherLimitMs;
}

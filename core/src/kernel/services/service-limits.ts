import { families } from '@tappaas/sdk';

/** Time limit for one call of a family's method, in milliseconds; the store limits its own calls. */
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

/** Services that every request uses, with inputs chosen by callers. */
const perRequestFamilies: ReadonlySet<string> = new Set([families.authenticator.id, families.authorizer.id]);

/**
 * Whether repeated failures open a breaker for the provider. Not for services that every request uses: inputs that make one fail would lock
 * out all other callers, and a provider that is not called admits no one.
 */
export const serviceHasBreaker = (service: string): boolean => !perRequestFamilies.has(service);

/** For services of plugins: the limit of the longest request. */
const otherLimitMs = 60_000;

export function serviceLimitMs(service: string): number {
  return familyLimitsMs[service] ?? otherLimitMs;
}

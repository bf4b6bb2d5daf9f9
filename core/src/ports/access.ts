import type { AccessDecision, AccessRequest } from '@tappaas/sdk';

/** Selectors to add to a list or watch, so that it shows only what the caller may see. */
export interface Narrowing {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** A question to the access stage. */
export type AccessQuestion = AccessRequest & {
  /** The asking stage will apply a narrowing; others are refused where one would be needed. */
  readonly canNarrow?: boolean;
  /** Repeated questions have the same resource object, so caching the decision is worthwhile. */
  readonly recurs?: boolean;
};

/** A decision of the access stage. If it has a narrowing, the response must be narrowed or refused. */
export type Verdict = AccessDecision & { readonly narrowed?: Narrowing };

import type { AccessDecision, AccessRequest } from '@tappaas/sdk';

/** Selectors to be added to a list or watch, so that it shows no more than the caller may see. */
export interface Narrowing {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** A question to the access stage. */
export type AccessQuestion = AccessRequest & {
  /** Who asks will obey a narrowing; everybody else is refused where one would be needed. */
  readonly canNarrow?: boolean;
  /** Its resource is the same object whenever the same is asked for: the answer is worth remembering. */
  readonly recurs?: boolean;
};

/** What the access stage says; what is allowed narrowed is answered narrowed, or not at all. */
export type Verdict = AccessDecision & { readonly narrowed?: Narrowing };

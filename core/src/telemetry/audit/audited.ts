import type { AccessDecision, Caller } from '@tappaas/sdk';

/** What a request is about; the name is absent for a collection. */
export interface AuditedTarget {
  readonly kind: { readonly group: string; readonly version: string; readonly plural: string };
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** A request as audit is told of it; without a caller when authentication has failed. */
export interface AuditedRequest {
  readonly requestId: string;
  readonly receivedAtMs: number;
  readonly method: string;
  readonly path: string;
  /** As it was sent; values in it may be credentials. */
  readonly query: string;
  readonly engine: string;
  readonly verb: string;
  readonly target?: AuditedTarget;
  readonly caller?: Caller;
  readonly remoteAddress: string;
  readonly userAgent: string;
}

/** The object that was written, as it is then. */
export interface AuditedSubject {
  readonly name?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** How a request stands; status 0: it was never answered. */
export interface AuditedStanding {
  readonly status: number;
  readonly errorCode?: string;
  readonly impersonated?: Caller;
  readonly decision?: AccessDecision;
  readonly subject?: AuditedSubject;
  readonly annotations?: ReadonlyMap<string, string>;
}

/** How much of a request is recorded. */
export type AuditLevel = 'None' | 'Metadata' | 'Request' | 'RequestResponse';

/** The moments of a request that are recorded. */
export type AuditStage = 'RequestReceived' | 'ResponseStarted' | 'ResponseComplete' | 'Panic';

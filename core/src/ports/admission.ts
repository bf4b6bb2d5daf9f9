import type { AdmissionOperation, Caller, Claim, Denial } from '@tappaas/sdk';

type JsonObject = Readonly<Record<string, unknown>>;

/** An object that may claim something. */
export interface ClaimRequest {
  readonly engine: string;
  readonly group: string;
  readonly kind: string;
  /** Taps see what is confidential only with the permission. */
  readonly isConfidential: boolean;
  /** Who writes; nobody where claims are rebuilt. */
  readonly caller?: Caller;
  readonly object: JsonObject;
}

/** A write on its way, as the taps of admission are asked about it. */
export interface AdmissionRequest extends ClaimRequest {
  readonly operation: AdmissionOperation;
  readonly caller: Caller;
  /**
   * Only what is granted to the caller in the object's own namespace counts for it; for one without a namespace nothing does. Absent: it was
   * not found out for this write yet.
   */
  readonly isProjectOnly?: boolean;
  readonly dryRun: boolean;
  readonly previous?: JsonObject;
  readonly requestId: string;
  readonly signal: AbortSignal;
}

/** What a mutating tap changed: paths, never values. */
export interface TapChange {
  readonly plugin: string;
  readonly paths: readonly string[];
}

/** The object as mutating taps have made it. */
export interface Mutated {
  readonly object: JsonObject;
  readonly changes: readonly TapChange[];
  /** Where it was found out for them, so that it is not again for the same write. */
  readonly isProjectOnly?: boolean;
}

/** One reason why an object is refused, and whose it is. */
export type TapDenial = Denial & { readonly plugin?: string };

/** A claim, whose it is, and what to say when it cannot be had. */
export type PluginClaim = Claim & { readonly plugin: string };

/** The admission stage as the engine needs it. */
export interface Admission {
  /** Asks the mutating taps in order. @throws when a tap failed: the write is denied, naming the plugin */
  mutate(request: AdmissionRequest): Promise<Mutated>;
  /** Asks all validating taps; every denial is told. */
  validate(request: AdmissionRequest): Promise<readonly TapDenial[]>;
  /** What the object claims; a pure function of it. */
  claims(request: ClaimRequest): readonly PluginClaim[];
}

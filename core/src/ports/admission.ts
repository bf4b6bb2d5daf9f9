import type { AdmissionOperation, Caller, Claim, Denial } from '@tappaas/sdk';

type JsonObject = Readonly<Record<string, unknown>>;

/** An object that may have claims. */
export interface ClaimRequest {
  readonly engine: string;
  readonly group: string;
  readonly kind: string;
  /** Taps see confidential values only with permission. */
  readonly isConfidential: boolean;
  /** The caller of the write; absent when claims are rebuilt. */
  readonly caller?: Caller;
  readonly object: JsonObject;
}

/** A write as it is passed to the taps of admission. */
export interface AdmissionRequest extends ClaimRequest {
  readonly operation: AdmissionOperation;
  readonly caller: Caller;
  /**
   * Whether only rights granted in the object's own namespace count for the caller; for an object without a namespace none do. Absent: not
   * yet determined for this write.
   */
  readonly isProjectOnly?: boolean;
  readonly dryRun: boolean;
  readonly previous?: JsonObject;
  readonly requestId: string;
  readonly signal: AbortSignal;
}

/** The changes of a mutating tap: paths, never values. */
export interface TapChange {
  readonly plugin: string;
  readonly paths: readonly string[];
}

/** The object after the mutating taps. */
export interface Mutated {
  readonly object: JsonObject;
  readonly changes: readonly TapChange[];
  /** Present if it was determined for the taps, so that it need not be determined again for the same write. */
  readonly isProjectOnly?: boolean;
}

/** One reason why an object is refused, and the plugin that gave it. */
export type TapDenial = Denial & { readonly plugin?: string };

/** A claim, its plugin, and the message if it is refused. */
export type PluginClaim = Claim & { readonly plugin: string };

/** The admission stage as the engine uses it. */
export interface Admission {
  /** Calls the mutating taps in order. @throws when a tap failed: the write is denied, naming the plugin */
  mutate(request: AdmissionRequest): Promise<Mutated>;
  /** Calls all validating taps and returns every denial. */
  validate(request: AdmissionRequest): Promise<readonly TapDenial[]>;
  /** Returns the claims of an object; a pure function of it. */
  claims(request: ClaimRequest): readonly PluginClaim[];
}

import { recordErrors } from './definitions.js';

/** The permanent properties of an error code, which API clients can rely on. */
export interface ErrorSpec {
  /** HTTP status of the response when the error reaches an API caller. */
  readonly httpStatus: number;
  /** Who can fix it; only `plugin` counts for the plugin's circuit breaker. */
  readonly blame: 'caller' | 'plugin' | 'upstream' | 'platform';
  /** `never` ends a reconcile's back-off until the object changes. */
  readonly retry: 'never' | 'back-off';
  /** An imperative sentence: what the reader should do next. */
  readonly remedy: string;
}

/** The details of one occurrence of an error. */
export interface ErrorDetails {
  /** Begins in lower case; names the thing, what was expected and what was found. Shown to callers: no secrets. */
  readonly message: string;
  /** Path of the field at fault, such as `spec.processes[0].ports`. */
  readonly field?: string;
  /** Time after which a retry makes sense, in milliseconds. */
  readonly retryAfterMs?: number;
  /** The underlying error; goes to the log only, never to a caller. */
  readonly cause?: unknown;
  /** Values for programs, such as the revision of a compaction. */
  readonly data?: Readonly<Record<string, string | number | boolean>>;
}

/** The error class of the platform and its plugins; `code` is permanent and documented. */
export class TapError extends Error {
  override readonly name = 'TapError';
  readonly code: string;
  readonly spec: ErrorSpec;
  readonly field: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly data: Readonly<Record<string, string | number | boolean>>;
  /** Instance id of the plugin in whose tap or method the error arose; set by the guard. */
  plugin: string | undefined;

  constructor(code: string, spec: ErrorSpec, details: ErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.spec = spec;
    this.field = details.field;
    this.retryAfterMs = details.retryAfterMs;
    this.data = details.data ?? {};
  }
}

/** Whether `error` is a {@link TapError}, also one created by another copy of the SDK, and has the given `code`, if any. */
export function isTapError(error: unknown, code?: string): error is TapError {
  return error instanceof Error && error.name === 'TapError' && 'code' in error && (code === undefined || error.code === code);
}

/** One constructor function per code of a table. */
export type ErrorTable<T> = { readonly [C in keyof T]: (details: ErrorDetails) => TapError };

/**
 * Defines a plugin's own error codes, named `<PLUGIN_ID>_<WHAT>`; `TAP_` is reserved for the platform.
 *
 * The codes are listed in the plugin's manifest and reference page and are permanent: none is ever renamed or reused.
 *
 * @example
 * ```ts
 * const errors = defineErrors({
 *   COST_GUARD_PRICES_UNKNOWN: { httpStatus: 503, blame: 'upstream', retry: 'back-off', remedy: 'Check the price service.' },
 * });
 * throw errors.COST_GUARD_PRICES_UNKNOWN({ message: 'the price service did not answer' });
 * ```
 */
export function defineErrors<const T extends Readonly<Record<string, ErrorSpec>>>(table: T): ErrorTable<T> {
  recordErrors(table);
  return errorTable(table);
}

/** Defines the platform's own error codes (`TAP_<NOUN>_<WHAT>`). */
export function errorTable<const T extends Readonly<Record<string, ErrorSpec>>>(table: T): ErrorTable<T> {
  const make = ([code, spec]: readonly [string, ErrorSpec]) =>
    [code, (details: ErrorDetails) => new TapError(code, spec, details)] as const;
  return Object.freeze(Object.fromEntries(Object.entries(table).map(make))) as ErrorTable<T>;
}

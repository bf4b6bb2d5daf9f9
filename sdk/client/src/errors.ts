/** One reason among several why something was refused. */
export interface RefusalCause {
  readonly field?: string;
  readonly message?: string;
  readonly reason?: string;
}

interface StatusDocument {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly metadata?: { readonly continue?: string };
  readonly details?: {
    readonly code?: string;
    readonly remedy?: string;
    readonly causes?: readonly RefusalCause[];
    readonly retryAfterSeconds?: number;
  };
}

/** The platform's answer was a refusal: its own words, the permanent code, and what to do next. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status. */
  readonly status: number;
  /** Permanent, such as `TAP_REQUEST_FORBIDDEN`; empty when whatever answered was not the platform. */
  readonly code: string;
  /** Kubernetes' reason, such as `NotFound`. */
  readonly reason: string;
  /** What to do, as an imperative sentence; may be empty. */
  readonly remedy: string;
  readonly causes: readonly RefusalCause[];
  /** When to come again, if the platform said so. */
  readonly retryAfterMs: number | undefined;
  /** From where an expired list can go on. */
  readonly continueToken: string | undefined;

  constructor(status: number, document: unknown, retryAfterMs?: number) {
    const told = (typeof document === 'object' && document !== null ? document : {}) as StatusDocument;
    super(told.message ?? `the platform answered ${status}`);
    this.status = status;
    this.code = told.details?.code ?? '';
    this.reason = told.reason ?? '';
    this.remedy = told.details?.remedy ?? '';
    this.causes = told.details?.causes ?? [];
    const seconds = told.details?.retryAfterSeconds;
    this.retryAfterMs = retryAfterMs ?? (seconds === undefined ? undefined : seconds * 1000);
    this.continueToken = told.metadata?.continue;
  }

  /** Reads a whole answer that was no success. */
  static of({ status, text, retryAfterMs }: { readonly status: number; readonly text: string; readonly retryAfterMs?: number }): ApiError {
    return new ApiError(status, parsed(text), retryAfterMs);
  }

  /** Whether the same may succeed later: there was no room, the platform is not able to answer now, or the answer was not read for too long. */
  get isPassing(): boolean {
    return this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Why there is no answer: nobody answers, whoever answers is not trusted, the answer broke off, or it did not come in time. */
export type UnreachableReason = 'unreachable' | 'untrusted' | 'broken-off' | 'deadline' | 'too-large';

/** There is no whole answer; whether something was done is not known, unless the reason is `unreachable` or `untrusted`. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  readonly reason: UnreachableReason;
  /** The address as it was given. */
  readonly server: string;

  constructor(reason: UnreachableReason, server: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
    this.server = server;
  }

  /** Whether the same may succeed later: an authority that is not trusted will not be, and what is too large stays so. */
  get isPassing(): boolean {
    return this.reason !== 'untrusted' && this.reason !== 'too-large';
  }
}

/** A subscription or a watch broke, and cannot go on where it was without missing something: read anew, then go on since what was read. */
export class ResumeError extends Error {
  override readonly name = 'ResumeError';

  constructor(message: string, cause: unknown) {
    super(message, { cause });
  }
}

/** One error of a GraphQL answer. */
export interface GraphQlProblem {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: { readonly code?: string } & Readonly<Record<string, unknown>>;
}

/** The answer holds errors; what data came with them is here, too. */
export class GraphQlError extends Error {
  override readonly name = 'GraphQlError';
  readonly problems: readonly GraphQlProblem[];
  readonly data: unknown;

  constructor(problems: readonly GraphQlProblem[], data: unknown) {
    super(problems.map(({ message }) => message).join('; ') || 'the GraphQL answer has neither data nor errors');
    this.problems = problems;
    this.data = data;
  }
}

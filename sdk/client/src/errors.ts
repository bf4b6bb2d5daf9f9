/** One of several reasons for a refusal. */
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

/** The platform refused a request: its message, the permanent code, and what to do next. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status. */
  readonly status: number;
  /** Permanent code, such as `TAP_REQUEST_FORBIDDEN`; empty when the response was not the platform's. */
  readonly code: string;
  /** Kubernetes' reason, such as `NotFound`. */
  readonly reason: string;
  /** What to do, as an imperative sentence; may be empty. */
  readonly remedy: string;
  readonly causes: readonly RefusalCause[];
  /** When to retry, in milliseconds from now, if the platform said so. */
  readonly retryAfterMs: number | undefined;
  /** Token with which an expired list can be continued. */
  readonly continueToken: string | undefined;

  constructor(status: number, document: unknown, retryAfterMs?: number) {
    const statusDocument = (typeof document === 'object' && document !== null ? document : {}) as StatusDocument;
    super(statusDocument.message ?? `the platform answered ${status}`);
    this.status = status;
    this.code = statusDocument.details?.code ?? '';
    this.reason = statusDocument.reason ?? '';
    this.remedy = statusDocument.details?.remedy ?? '';
    this.causes = statusDocument.details?.causes ?? [];
    const seconds = statusDocument.details?.retryAfterSeconds;
    this.retryAfterMs = retryAfterMs ?? (seconds === undefined ? undefined : seconds * 1000);
    this.continueToken = statusDocument.metadata?.continue;
  }

  /** Parses a complete response that was not successful. */
  static of({ status, text, retryAfterMs }: { readonly status: number; readonly text: string; readonly retryAfterMs?: number }): ApiError {
    return new ApiError(status, parsed(text), retryAfterMs);
  }

  /** Whether a retry may succeed: a limit was reached, the platform is unavailable now, or the client read the response too slowly. */
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

/** Why there is no response: nothing answers, the server is not trusted, the response broke off, came too late, or is too large. */
export type UnreachableReason = 'unreachable' | 'untrusted' | 'broken-off' | 'deadline' | 'too-large';

/** There is no complete response; unless the reason is `unreachable` or `untrusted`, the request may have been executed. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  readonly reason: UnreachableReason;
  /** The address as given in the options. */
  readonly server: string;

  constructor(reason: UnreachableReason, server: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
    this.server = server;
  }

  /** Whether a retry may succeed: not if the authority is not trusted or the response is too large. */
  get isPassing(): boolean {
    return this.reason !== 'untrusted' && this.reason !== 'too-large';
  }
}

/** A subscription or a watch broke, and cannot resume without missing events: read the objects again, then continue from that version. */
export class ResumeError extends Error {
  override readonly name = 'ResumeError';

  constructor(message: string, cause: unknown) {
    super(message, { cause });
  }
}

/** One error of a GraphQL response. */
export interface GraphQlProblem {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: { readonly code?: string } & Readonly<Record<string, unknown>>;
}

/** A GraphQL response with errors; it also holds the data that came with them. */
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

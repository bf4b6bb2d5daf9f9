/** The position in a trace of work that others continue. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  /** Whether the originator of the trace records it. */
  readonly isSampled: boolean;
}

const form =
  /^(?<version>(?!ff)[0-9a-f]{2})-(?<traceId>(?!0{32})[0-9a-f]{32})-(?<spanId>(?!0{16})[0-9a-f]{16})-(?<flags>[0-9a-f]{2})(?<rest>-.*)?$/;

/**
 * Parses a `traceparent` header; undefined when it is malformed. A later version may append to the fields of the first.
 *
 * @source W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function readTraceParent(header: string): TraceParent | undefined {
  const { version, traceId, spanId, flags = '', rest } = form.exec(header)?.groups ?? {};
  if (traceId === undefined || spanId === undefined || (version === '00' && rest !== undefined)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Formats the header for outgoing requests. */
export function traceParentText({ traceId, spanId }: Pick<TraceParent, 'traceId' | 'spanId'>): string {
  return `00-${traceId}-${spanId}-01`;
}

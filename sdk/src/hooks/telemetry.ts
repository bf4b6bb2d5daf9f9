import type { Strings, Sync } from '../values.js';
import { defineHook, type Shape } from './shape.js';

/** An event in the platform, such as `plugin.reloaded`. */
export interface PlatformEvent {
  readonly type: string;
  readonly atMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
}

/** One sample of a metric: `value` is added to a counter, set on a gauge, observed by a histogram. */
export interface MetricSample {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: Strings;
  readonly value: number;
}

/** A finished span; ids are lower-case hexadecimal as in W3C Trace Context. */
export interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly error?: string;
}

/** A log line of the platform or of a plugin. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly atMs: number;
  readonly plugin?: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An audit event in Kubernetes' audit.k8s.io/v1 shape. */
export interface AuditEvent {
  readonly auditID: string;
  readonly stage: string;
  readonly verb: string;
  readonly user?: { readonly username: string; readonly groups?: readonly string[] };
  /** The requested object; absent when the request is not about one. */
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly annotations?: Strings;
  readonly [field: string]: unknown;
}

/** Shape of every telemetry hook: taps must not await; exporters buffer and send in a task. */
export interface Told<T> extends Shape {
  readonly options: object;
  readonly input: T;
  readonly output: Sync;
  readonly context: undefined;
}

const telemetryHook = <T>(name: string, onFailure: 'ignore' | 'fail', description: string) =>
  defineHook<Told<T>>({
    contract: 1,
    name: `telemetry.${name}`,
    kind: 'observe',
    synchronous: true,
    deadlineMs: 1,
    onFailure,
    runsOn: 'every-replica',
    description,
  });

/** Hooks that report what happens in the platform. A failing tap is counted and ignored, except for audit. */
export const telemetry = Object.freeze({
  event: telemetryHook<PlatformEvent>('event', 'ignore', 'Something happened in the platform.'),
  metric: telemetryHook<MetricSample>('metric', 'ignore', 'A metric changed.'),
  span: telemetryHook<Span>('span', 'ignore', 'A traced piece of work ended.'),
  log: telemetryHook<LogLine>('log', 'ignore', 'A log line was written.'),
  audit: telemetryHook<AuditEvent>('audit', 'fail', 'A request was made; never dropped silently.'),
});

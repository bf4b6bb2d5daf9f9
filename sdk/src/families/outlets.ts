import type { Context } from '../context.js';
import type { LogLine } from '../hooks/telemetry.js';

/** A message to the operators. */
export interface Notification {
  readonly severity: 'info' | 'warning' | 'critical';
  readonly title: string;
  readonly message: string;
  /** Notifications with the same key within an hour are sent once. */
  readonly key: string;
}

/** Delivers notifications to people. Time limit: 10 s per call, retried with back-off. */
export interface Notifier {
  send(notification: Notification, context: Context): Promise<void>;
}

/** Receives log lines in batches of at most 1,000. Time limit: 5 s per call. */
export interface LogSink {
  write(lines: readonly LogLine[], context: Context): Promise<void>;
}

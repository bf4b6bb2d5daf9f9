import type { Context } from '../context.js';
import type { LogLine } from '../hooks/telemetry.js';

/** Something a person should know. */
export interface Notification {
  readonly severity: 'info' | 'warning' | 'critical';
  readonly title: string;
  readonly message: string;
  /** Equal keys within an hour are one notification. */
  readonly key: string;
}

/** Brings notifications to people; 10 s a call, retried with back-off. */
export interface Notifier {
  send(notification: Notification, context: Context): Promise<void>;
}

/** Takes log lines in batches of at most 1,000; 5 s a call. */
export interface LogSink {
  write(lines: readonly LogLine[], context: Context): Promise<void>;
}

import { timedLine } from '@tappaas/sdk/log';

/** The output streams of a container. */
export const streams = ['Stdout', 'Stderr'] as const;

/** A line of a log, for programs. */
export interface LogRecord {
  readonly time: string;
  readonly pod: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** Parses a line that begins with its time. */
export function recordOf(pod: string, stream: (typeof streams)[number], line: string): LogRecord {
  const { time = '', text } = timedLine(line);
  return { time, pod, stream: stream === 'Stdout' ? 'stdout' : 'stderr', text };
}

import { timedLine } from '@tappaas/sdk/log';

/** What a container writes comes on these two. */
export const streams = ['Stdout', 'Stderr'] as const;

/** A line of a log, for programs. */
export interface LogRecord {
  readonly time: string;
  readonly pod: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** What a line that begins with its time says. */
export function recordOf(pod: string, stream: (typeof streams)[number], line: string): LogRecord {
  const { time = '', text } = timedLine(line);
  return { time, pod, stream: stream === 'Stdout' ? 'stdout' : 'stderr', text };
}

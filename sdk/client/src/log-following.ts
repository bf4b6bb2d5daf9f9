import { FollowedLog } from '@tappaas/sdk/log';
import { BackOff, type Devices } from './back-off.js';
import { ApiError, UnreachableError } from './errors.js';
import type { Http } from './http.js';

/** Which lines of a log to deliver, and until when. */
export interface LogOptions {
  /** Number of existing lines to begin with. Default: all. */
  readonly tailLines?: number;
  /** Only lines of this output. Default: both. */
  readonly stream?: 'Stdout' | 'Stderr';
  readonly signal: AbortSignal;
}

/**
 * Yields the lines of a pod's log, each after its time, across broken connections and restarts of the container. Ends when the pod no
 * longer exists, the signal aborts or the client is closed.
 *
 * @throws ApiError or UnreachableError if a retry would not help
 */
export async function* followLog(http: Http, pod: string, options: LogOptions, devices: Devices): AsyncGenerator<string> {
  const signal = AbortSignal.any([options.signal, http.closing]);
  const log = new FollowedLog({
    read: (query) => http.lines(`${pod}/log?${new URLSearchParams(query).toString()}`, signal),
    isAnswer: (error) => error instanceof ApiError,
  });
  const { tailLines, stream } = options;
  const query = {
    follow: 'true',
    ...(stream !== undefined && { stream }),
    ...(tailLines !== undefined && { tailLines: String(tailLines) }),
  };
  const backOff = new BackOff(devices);
  while (!signal.aborted) {
    let retryAfterMs: number | undefined;
    try {
      for await (const { line } of log.connection(query)) {
        backOff.reset();
        yield line;
      }
    } catch (error) {
      if (signal.aborted || (error instanceof ApiError && error.status === 404)) return;
      if (!isPassing(error, log.hasBegun)) throw error;
      retryAfterMs = error instanceof ApiError ? error.retryAfterMs : undefined;
    }
    // The container or the platform has stopped; it may continue.
    await backOff.wait(signal, retryAfterMs).catch(() => {});
  }
}

/** Whether an error may pass: a container that had a log before and has none now is about to restart. */
function isPassing(error: unknown, hasBegun: boolean): boolean {
  if (error instanceof ApiError) return error.isPassing || (hasBegun && error.status === 400);
  return error instanceof UnreachableError && error.isPassing;
}

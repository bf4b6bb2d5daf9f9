/** What a connection or a stream says when it was cut off in the middle. */
const codes: ReadonlySet<unknown> = new Set([
  'ABORT_ERR',
  'ECONNABORTED',
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
]);
const causesMax = 5;

/**
 * Whether a failure says no more than that something was broken off which nobody waits for any more: the client has gone, or its stream was
 * ended. Whatever else fails after that is still a failure.
 */
export function isBrokenOff(signal: AbortSignal, thrown: unknown): boolean {
  if (!signal.aborted) return false;
  let error = thrown;
  for (let depth = 0; depth < causesMax && error instanceof Error; depth += 1, error = error.cause) {
    if (error === signal.reason || ('code' in error && codes.has(error.code)) || error.name === 'AbortError') return true;
  }
  return false;
}

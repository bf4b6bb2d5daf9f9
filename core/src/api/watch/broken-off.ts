/** Error codes of connections and streams that were cut off. */
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
 * Whether an error only means that something was aborted because the client disconnected or its stream was ended. Any other error after
 * the abort is still a failure.
 */
export function isBrokenOff(signal: AbortSignal, thrown: unknown): boolean {
  return signal.aborted && isOfChain(thrown, (error) => error === signal.reason || isConnectionError(error) || error.name === 'AbortError');
}

/** Whether an error means that a connection was cut off. */
export function isConnectionBroken(thrown: unknown): boolean {
  return isOfChain(thrown, isConnectionError);
}

function isConnectionError(error: Error): boolean {
  return 'code' in error && codes.has(error.code);
}

/** Whether an error or one of its causes matches. */
function isOfChain(thrown: unknown, matches: (error: Error) => boolean): boolean {
  let error = thrown;
  for (let depth = 0; depth < causesMax && error instanceof Error; depth += 1, error = error.cause) if (matches(error)) return true;
  return false;
}

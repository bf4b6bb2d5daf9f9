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
  return signal.aborted && isOfChain(thrown, (error) => error === signal.reason || isConnectionError(error) || error.name === 'AbortError');
}

/** Whether a failure says that a connection was cut off in the middle. */
export function isConnectionBroken(thrown: unknown): boolean {
  return isOfChain(thrown, isConnectionError);
}

function isConnectionError(error: Error): boolean {
  return 'code' in error && codes.has(error.code);
}

/** Whether an error, or one that has caused it, is as asked. */
function isOfChain(thrown: unknown, matches: (error: Error) => boolean): boolean {
  let error = thrown;
  for (let depth = 0; depth < causesMax && error instanceof Error; depth += 1, error = error.cause) if (matches(error)) return true;
  return false;
}

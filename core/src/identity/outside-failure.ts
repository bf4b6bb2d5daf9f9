import { isTapError, TapError } from '@tappaas/sdk';

/**
 * Asks an authenticator of a plugin. What is wrong with a credential is told as it is; what is wrong with whom the plugin has to ask is told
 * to somebody whom nobody knows yet, so addresses and files stay in the cause, which goes to the log.
 */
export function askedOutside<T>(ask: () => T | Promise<T>): T | Promise<T> {
  try {
    const answer = ask();
    return answer instanceof Promise ? answer.catch(fail) : answer;
  } catch (error) {
    return fail(error);
  }
}

function fail(error: unknown): never {
  if (!isTapError(error) || error.spec.httpStatus < 500) throw error;
  const { code, spec, retryAfterMs, plugin } = error;
  const message = 'it cannot be found out now whose the credential is';
  const told = new TapError(code, spec, { message, cause: error, ...(retryAfterMs !== undefined && { retryAfterMs }) });
  told.plugin = plugin;
  throw told;
}

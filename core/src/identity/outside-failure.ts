import { isTapError, TapError } from '@tappaas/sdk';

/**
 * Calls a plugin's authenticator. Errors about the credential reach the client; errors of the plugin's upstream are masked, since the
 * client is not authenticated yet: addresses and file names stay in `cause`, which goes to the log.
 */
export function callProvider<T>(ask: () => T | Promise<T>): T | Promise<T> {
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
  const reported = new TapError(code, spec, { message, cause: error, ...(retryAfterMs !== undefined && { retryAfterMs }) });
  reported.plugin = plugin;
  throw reported;
}

import { ApiError, UnreachableError } from './errors.js';

/** The error for a connection that failed because the authority is not trusted; otherwise undefined. `server`: as the caller knows it. */
export function untrusted(cause: unknown, server: string): UnreachableError | undefined {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (!/CERT|SELF_SIGNED|UNABLE_TO/.test(code)) return undefined;
  return new UnreachableError('untrusted', server, `the certificate of ${server} is not trusted (${code})`, cause);
}

/** Why a WebSocket did not open, as far as the implementation reveals it: browsers do not. */
export function refusedSocket(cause: unknown, server: string): ApiError | UnreachableError | undefined {
  if (cause instanceof ApiError) return cause;
  const [, status] = /^Unexpected server response: (\d{3})$/.exec(cause instanceof Error ? cause.message : '') ?? [];
  if (status === undefined) return untrusted(cause, server);
  return new ApiError(Number(status), { message: `${server} answered ${status} to a WebSocket` });
}

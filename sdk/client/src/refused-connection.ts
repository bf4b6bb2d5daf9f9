import { ApiError, UnreachableError } from './errors.js';

/** Why a connection failed, when it was for an authority that is not trusted. `server`: as the caller knows it. */
export function untrusted(cause: unknown, server: string): UnreachableError | undefined {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (!/CERT|SELF_SIGNED|UNABLE_TO/.test(code)) return undefined;
  return new UnreachableError('untrusted', server, `the certificate of ${server} is not trusted (${code})`, cause);
}

/** Why a WebSocket did not open, as far as whoever opened it says: browsers say nothing. */
export function refusedSocket(cause: unknown, server: string): ApiError | UnreachableError | undefined {
  if (cause instanceof ApiError) return cause;
  const [, status] = /^Unexpected server response: (\d{3})$/.exec(cause instanceof Error ? cause.message : '') ?? [];
  if (status === undefined) return untrusted(cause, server);
  return new ApiError(Number(status), { message: `${server} answered ${status} to a WebSocket` });
}

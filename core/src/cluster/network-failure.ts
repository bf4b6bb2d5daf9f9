import { isTapError, type TapError } from '@tappaas/sdk';
import { clusterErrors } from './errors.js';

/** The server never saw the request, so anything may be sent again. */
const unsentCodes = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

const untrustedCodes = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** A request that got no answer, and what that means for sending it again. */
export interface NetworkFailure {
  readonly error: TapError;
  /** The server has not seen the request for sure. */
  readonly unsent: boolean;
  /** The connection's settings may be out of date. */
  readonly suspectsConnection: boolean;
}

export function networkFailure(what: string, cause: unknown): NetworkFailure {
  if (isTapError(cause)) return { error: cause, unsent: false, suspectsConnection: false };
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const text = cause instanceof Error ? cause.message : String(cause);
  if (untrustedCodes.has(code)) {
    const message = `${what}: the server's certificate is not trusted (${code}: ${text})`;
    return { error: clusterErrors.TAP_CLUSTER_UNTRUSTED({ message, cause }), unsent: true, suspectsConnection: true };
  }
  const unsent = unsentCodes.has(code);
  const message = `${what}: ${unsent ? 'the server cannot be reached' : 'the connection broke'} (${code === '' ? text : `${code}: ${text}`})`;
  return { error: clusterErrors.TAP_CLUSTER_UNREACHABLE({ message, cause }), unsent, suspectsConnection: unsent };
}

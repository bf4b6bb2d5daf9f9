import { isTapError, type TapError } from '@tappaas/sdk';
import { clusterErrors } from './errors.js';

/** The server never received the request, so any request may be retried. */
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

/** A request without a response, and whether it may be retried. */
export interface NetworkFailure {
  readonly error: TapError;
  /** Whether it is certain that the server has not received the request. */
  readonly unsent: boolean;
  /** Whether the settings of the connection may be outdated. */
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

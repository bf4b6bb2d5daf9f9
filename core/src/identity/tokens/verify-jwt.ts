import { credentialErrors, jwtSkewMs, type Clock, type JwtAlgorithm, type JwtClaims } from '@tappaas/sdk';
import type { JSONWebKeySet } from 'jose';

/** Requirements for a token. */
export interface JwtCheck {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly algorithms: readonly JwtAlgorithm[];
  readonly keysFor: (kid: string | undefined) => JSONWebKeySet | Promise<JSONWebKeySet>;
}

const tokenCharsMax = 16_384;
const asymmetric: ReadonlySet<string> = new Set<JwtAlgorithm>([
  'ES256',
  'ES384',
  'ES512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'EdDSA',
]);

/**
 * Verifies a JSON Web Token. Keys come only from the given set, whatever the header refers to; the algorithm must be one of those listed,
 * never a symmetric one; issuer and audience must match; `exp` must exist and not have passed, with a tolerance of one minute. Apart from
 * expiry, the error message does not reveal which check failed.
 *
 * @throws TAP_CREDENTIAL_INVALID, TAP_CREDENTIAL_EXPIRED, and what `keysFor` throws
 */
export async function verifyJwt(token: string, check: JwtCheck, clock: Pick<Clock, 'nowMs'>): Promise<JwtClaims> {
  const algorithms = check.algorithms.filter((algorithm) => asymmetric.has(algorithm));
  if (token.length > tokenCharsMax || check.audiences.length === 0 || algorithms.length === 0) throw invalid();
  const jose = await import('jose');
  let unavailable: unknown;
  try {
    const { payload } = await jose.jwtVerify(
      token,
      async (header, jws) => {
        try {
          const keys = await check.keysFor(header.kid);
          return await jose.createLocalJWKSet(keys)(header, jws);
        } catch (error) {
          if (!(error instanceof jose.errors.JOSEError)) unavailable = error;
          throw error;
        }
      },
      {
        issuer: check.issuer,
        audience: [...check.audiences],
        algorithms,
        clockTolerance: jwtSkewMs / 1000,
        requiredClaims: ['iss', 'aud', 'exp'],
        currentDate: new Date(clock.nowMs()),
      },
    );
    return payload as JwtClaims;
  } catch (error) {
    if (unavailable !== undefined) throw unavailable;
    if (error instanceof jose.errors.JWTExpired) throw credentialErrors.TAP_CREDENTIAL_EXPIRED({ message: 'the token has expired' });
    throw invalid(error);
  }
}

function invalid(cause?: unknown): Error {
  return credentialErrors.TAP_CREDENTIAL_INVALID({ message: 'the token is not valid', ...(cause !== undefined && { cause }) });
}

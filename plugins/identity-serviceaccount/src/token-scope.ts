import { credentialErrors, type AccessScope } from '@tappaas/sdk';

/** The private claim with the scope of the credential that requested the token. Absent: the token is not restricted. */
export const scopeClaim = 'tappaas.dev/scope';

/**
 * The scope in a verified token of the platform; undefined when the token is not restricted.
 *
 * @throws TAP_CREDENTIAL_INVALID when the claim is malformed: treating it as absent would widen the token
 */
export function scopeOfClaims(claims: Readonly<Record<string, unknown>>): AccessScope | undefined {
  const claim = claims[scopeClaim];
  if (claim === undefined) return undefined;
  if (typeof claim !== 'object' || claim === null || Array.isArray(claim)) throw malformed();
  const { namespaces, verbs, ...others } = claim as { readonly namespaces?: unknown; readonly verbs?: unknown };
  if (!isListOrAbsent(namespaces) || !isListOrAbsent(verbs) || Object.keys(others).length > 0) throw malformed();
  return { ...(namespaces && { namespaces }), ...(verbs && { verbs }) };
}

function isListOrAbsent(value: unknown): value is readonly string[] | undefined {
  return value === undefined || (Array.isArray(value) && value.every((each) => typeof each === 'string'));
}

function malformed(): Error {
  return credentialErrors.TAP_CREDENTIAL_INVALID({ message: `the claim ${scopeClaim} of the token is malformed` });
}

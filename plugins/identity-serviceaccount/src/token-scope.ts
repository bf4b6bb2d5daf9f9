import { credentialErrors, type AccessScope } from '@tappaas/sdk';

/** The private claim that keeps the scope of the credential with which a token was requested. Absent: the token is not narrowed. */
export const scopeClaim = 'tappaas.dev/scope';

/**
 * The scope that a token of the platform was signed with; `undefined` when it was requested with a credential that has none.
 *
 * @throws TAP_CREDENTIAL_INVALID when the claim has another form: read as "no scope", it would widen the token.
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

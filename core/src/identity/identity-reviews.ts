import type { Caller, Credentials, Identity } from '@tappaas/sdk';
import { userInfoOf } from './user-info.js';

type ReviewObject = Readonly<Record<string, unknown>>;

interface TokenReview {
  readonly spec?: { readonly token?: unknown; readonly audiences?: unknown };
}

/** The reviews of `authentication.k8s.io`. */
export interface IdentityReviews {
  /** Whose token this is, or that it is nobody's. */
  readonly tokenReview: (review: ReviewObject) => Promise<ReviewObject>;
  /** Who asks. */
  readonly selfSubjectReview: (review: ReviewObject, request: { readonly caller: Caller }) => Promise<ReviewObject>;
}

export function createIdentityReviews(
  authenticate: (credentials: Credentials) => Identity | undefined | Promise<Identity | undefined>,
): IdentityReviews {
  const statusOf = async ({ token, audiences }: NonNullable<TokenReview['spec']>): Promise<object> => {
    if (typeof token !== 'string') return { authenticated: false };
    const asked = Array.isArray(audiences) && audiences.length > 0 ? { audiences: audiences.map(String) } : {};
    try {
      const identity = await authenticate({ headers: { authorization: `Bearer ${token}` }, remoteAddress: '', ...asked });
      // Who asks for another audience must not be told that a token for the platform's API is good for it.
      if (identity === undefined || ('audiences' in asked && identity.audiences === undefined)) return { authenticated: false };
      const heard = 'audiences' in asked ? { audiences: identity.audiences } : {};
      return { authenticated: true, user: userInfoOf(identity.caller), ...heard };
    } catch (error) {
      return { authenticated: false, error: error instanceof Error ? error.message : 'the token is not valid' };
    }
  };
  return {
    // The schema wants a token; the one that was asked about is not repeated.
    tokenReview: async (review) => ({ ...review, spec: { token: '' }, status: await statusOf((review as TokenReview).spec ?? {}) }),
    selfSubjectReview: async (review, { caller }) => ({ ...review, status: { userInfo: userInfoOf(caller) } }),
  };
}

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
  const statusOf = async (token: unknown): Promise<object> => {
    if (typeof token !== 'string') return { authenticated: false };
    try {
      const identity = await authenticate({ headers: { authorization: `Bearer ${token}` }, remoteAddress: '' });
      return identity === undefined ? { authenticated: false } : { authenticated: true, user: userInfoOf(identity.caller) };
    } catch (error) {
      return { authenticated: false, error: error instanceof Error ? error.message : 'the token is not valid' };
    }
  };
  return {
    tokenReview: async (review) => ({ ...review, spec: {}, status: await statusOf((review as TokenReview).spec?.token) }),
    selfSubjectReview: async (review, { caller }) => ({ ...review, status: { userInfo: userInfoOf(caller) } }),
  };
}

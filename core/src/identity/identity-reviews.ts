import { isTapError, type Caller, type Credentials, type Identity, type Logger } from '@tappaas/sdk';
import { userInfoOf } from './user-info.js';

type ReviewObject = Readonly<Record<string, unknown>>;

interface TokenReview {
  readonly spec?: { readonly token?: unknown; readonly audiences?: unknown };
}

/** The reviews of `authentication.k8s.io`. */
export interface IdentityReviews {
  /** Identifies the user of a token, or states that the token is not valid. */
  readonly tokenReview: (review: ReviewObject) => Promise<ReviewObject>;
  /** The caller's own user info. */
  readonly selfSubjectReview: (review: ReviewObject, request: { readonly caller: Caller }) => Promise<ReviewObject>;
}

const unknown = 'it cannot be found out now whose the token is';
const causeOf = (error: unknown): unknown => (isTapError(error) ? (error.cause ?? error) : error);

export function createIdentityReviews(
  authenticate: (credentials: Credentials) => Identity | undefined | Promise<Identity | undefined>,
  log: Pick<Logger, 'warn'>,
): IdentityReviews {
  const statusOf = async ({ token, audiences }: NonNullable<TokenReview['spec']>): Promise<object> => {
    if (typeof token !== 'string') return { authenticated: false };
    const requested = Array.isArray(audiences) && audiences.length > 0 ? { audiences: audiences.map(String) } : {};
    try {
      const identity = await authenticate({ headers: { authorization: `Bearer ${token}` }, remoteAddress: '', ...requested });
      // A caller that asks for another audience must not learn that a token for the platform's API is valid for it.
      if (identity === undefined || ('audiences' in requested && identity.audiences === undefined)) return { authenticated: false };
      const heard = 'audiences' in requested ? { audiences: identity.audiences } : {};
      return { authenticated: true, user: userInfoOf(identity.caller), ...heard };
    } catch (error) {
      if (isTapError(error) && error.spec.httpStatus < 500) return { authenticated: false, error: error.message };
      const { code, plugin, message = unknown } = isTapError(error) ? error : {};
      log.warn('a token was reviewed without finding out whose it is', { code, plugin, cause: causeOf(error) });
      return { authenticated: false, error: message };
    }
  };
  return {
    // The schema requires a token; the reviewed one is not repeated.
    tokenReview: async (review) => ({ ...review, spec: { token: '' }, status: await statusOf((review as TokenReview).spec ?? {}) }),
    selfSubjectReview: async (review, { caller }) => ({ ...review, status: { userInfo: userInfoOf(caller) } }),
  };
}

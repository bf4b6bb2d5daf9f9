import type { Credentials, Identity } from '@tappaas/sdk';

type ReviewObject = Readonly<Record<string, unknown>>;

interface TokenReview {
  readonly spec?: { readonly token?: unknown };
}

/** Answers a `TokenReview`: whose token this is, or that it is nobody's. */
export function createTokenReview(
  authenticate: (credentials: Credentials) => Identity | undefined | Promise<Identity | undefined>,
): (review: ReviewObject) => Promise<ReviewObject> {
  return async (review) => {
    const { spec } = review as TokenReview;
    const token = typeof spec?.token === 'string' ? spec.token : '';
    try {
      const identity = await authenticate({ headers: { authorization: `Bearer ${token}` }, remoteAddress: '' });
      if (identity === undefined) return { ...review, spec: {}, status: { authenticated: false } };
      const { name, groups } = identity.caller;
      return { ...review, spec: {}, status: { authenticated: true, user: { username: name, groups } } };
    } catch (error) {
      return {
        ...review,
        spec: {},
        status: { authenticated: false, error: error instanceof Error ? error.message : 'the token is not valid' },
      };
    }
  };
}

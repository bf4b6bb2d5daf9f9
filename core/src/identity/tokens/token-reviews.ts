import { credentialErrors, type ReviewedUser, type TokenReviewer } from '@tappaas/sdk';
import { requestJson } from './https-json.js';

/** A fraction of the verification slots, so that a reviewer that does not respond delays only its own tokens. */
const reviewsAtOnceMax = 100;

/** Sends token reviews to other servers. */
export class TokenReviews {
  /** Number of requests in flight by address. */
  readonly #open = new Map<string, number>();

  /** @throws TAP_ISSUER_UNAVAILABLE */
  async ask(token: string, reviewer: TokenReviewer, audiences?: readonly string[]): Promise<ReviewedUser | undefined> {
    const { server } = reviewer;
    if ((this.#open.get(server) ?? 0) >= reviewsAtOnceMax)
      throw credentialErrors.TAP_ISSUER_UNAVAILABLE({ message: `${server} is asked about ${reviewsAtOnceMax} tokens already` });
    this.#count(server, 1);
    try {
      return await review(token, reviewer, audiences);
    } finally {
      this.#count(server, -1);
    }
  }

  #count(server: string, more: number): void {
    const open = (this.#open.get(server) ?? 0) + more;
    if (open === 0) this.#open.delete(server);
    else this.#open.set(server, open);
  }
}

const path = '/apis/authentication.k8s.io/v1/tokenreviews';

interface ReviewAnswer {
  readonly status?: { readonly authenticated?: unknown; readonly user?: Readonly<Record<string, unknown>>; readonly audiences?: unknown };
}

async function review(
  token: string,
  { server, certificateAuthority, allowedAddresses = [], token: own }: TokenReviewer,
  audiences?: readonly string[],
): Promise<ReviewedUser | undefined> {
  const answer = (await requestJson({
    url: server.replace(/\/$/, '') + path,
    token: own,
    allowedAddresses,
    ...(certificateAuthority !== undefined && { certificateAuthority }),
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, ...(audiences && { audiences }) } },
  })) as ReviewAnswer | null;
  const { authenticated, user = {}, audiences: heard } = answer?.status ?? {};
  const { username, uid, groups, extra } = user;
  if (authenticated !== true || typeof username !== 'string' || username === '') return undefined;
  // A reviewer that returns no audiences has not checked them, so the token may be for anyone.
  if (audiences !== undefined && !wordsOf(heard).some((audience) => audiences.includes(audience))) return undefined;
  return { username, ...(typeof uid === 'string' && { uid }), groups: wordsOf(groups), extra: extraOf(extra) };
}

function wordsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

function extraOf(value: unknown): ReviewedUser['extra'] {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, wordsOf(each)]));
}

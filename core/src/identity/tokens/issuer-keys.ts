import { credentialErrors, type Clock, type JwtIssuer } from '@tappaas/sdk';
import type { JSONWebKeySet, JWK } from 'jose';
import { requestJson } from './https-json.js';

const issuersMax = 100;
const keysMax = 100;
/** Keys are fetched again after this time, so that a withdrawn key stops being valid. */
const freshMs = 600_000;
/** How long the last keys of an issuer stay valid while it does not respond. */
const staleMsMax = 24 * 3_600_000;
/** Minimum time between fetches for unknown keys of an issuer, regardless of the tokens received. */
const coolDownMs = 30_000;
/** Shorter interval for an issuer that has never responded. */
const firstCoolDownMs = 10_000;
const asymmetric = new Set(['EC', 'RSA', 'OKP']);

interface Known {
  readonly keys: JSONWebKeySet;
  readonly fetchedAtMs: number;
}

/** The last request to an issuer. */
interface IssuerState {
  readonly atMs: number;
  /** Kept until newer keys are known. */
  readonly known: Known | undefined;
  /** Error of the last completed attempt. */
  readonly failure?: unknown;
  /** The request in flight, if any. */
  readonly answer?: Promise<Known>;
}

/** The public keys of issuers: fetched once for all callers, cached, and fetched again when they are old or a token names another key. */
export class IssuerKeys {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #state = new Map<string, IssuerState>();

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** Returns keys that include `kid`, if the issuer has it. @throws TAP_ISSUER_UNAVAILABLE */
  async keysOf(issuer: JwtIssuer, kid: string | undefined): Promise<JSONWebKeySet> {
    const id = JSON.stringify([issuer.issuer, issuer.jwksUrl, issuer.certificateAuthority, issuer.token, issuer.allowedAddresses]);
    const before = this.#state.get(id);
    const nowMs = this.#clock.nowMs();
    if (before !== undefined) {
      const { known } = before;
      const has = known !== undefined && (kid === undefined || known.keys.keys.some((key) => key.kid === kid));
      if (has && isWithin(freshMs, known.fetchedAtMs, nowMs)) return known.keys;
      // Each waiter occupies a verification slot, so only one caller at a time waits for an issuer whose last request failed.
      const isWaiting = before.answer !== undefined && !has && before.failure === undefined;
      const isCool = !isWithin(known === undefined ? firstCoolDownMs : coolDownMs, before.atMs, nowMs);
      if (before.answer === undefined ? !isCool : !isWaiting) return cachedResponse(before, nowMs, issuer);
    }
    try {
      return (await (before?.answer ?? this.#ask(id, issuer, before))).keys;
    } catch (error) {
      return cachedResponse({ known: before?.known, failure: error }, nowMs, issuer);
    }
  }

  #ask(id: string, issuer: JwtIssuer, before: IssuerState | undefined): Promise<Known> {
    const atMs = this.#clock.nowMs();
    const answer = fetchKeys(issuer).then(
      (keys) => {
        const known = { keys, fetchedAtMs: this.#clock.nowMs() };
        this.#keep(id, { atMs, known });
        return known;
      },
      (failure: unknown) => {
        this.#keep(id, { atMs, known: before?.known, failure });
        throw failure;
      },
    );
    this.#keep(id, { atMs, known: before?.known, failure: before?.failure, answer });
    return answer;
  }

  #keep(id: string, state: IssuerState): void {
    this.#state.delete(id);
    const oldest = this.#state.size >= issuersMax ? this.#state.keys().next().value : undefined;
    if (oldest !== undefined) this.#state.delete(oldest);
    this.#state.set(id, state);
  }
}

/** Whether something happened less than `ms` ago. A time in the future, from before the clock was set back, counts as long ago. */
function isWithin(ms: number, atMs: number, nowMs: number): boolean {
  return atMs <= nowMs && nowMs - atMs < ms;
}

function cachedResponse({ known, failure }: Pick<IssuerState, 'known' | 'failure'>, nowMs: number, issuer: JwtIssuer): JSONWebKeySet {
  if (known === undefined) throw failure;
  return usable(known, nowMs, issuer).keys;
}

function usable(known: Known, nowMs: number, { issuer }: JwtIssuer): Known {
  if (nowMs - known.fetchedAtMs < staleMsMax) return known;
  throw credentialErrors.TAP_ISSUER_UNAVAILABLE({ message: `the keys of ${issuer} have not been answered for a day` });
}

async function fetchKeys({ issuer, jwksUrl, certificateAuthority, token, allowedAddresses = [] }: JwtIssuer): Promise<JSONWebKeySet> {
  const reach = { allowedAddresses, ...(certificateAuthority !== undefined && { certificateAuthority }) };
  const trust = { ...reach, ...(token !== undefined && { token }) };
  if (jwksUrl !== undefined) return keySetOf(await requestJson({ url: jwksUrl, ...trust }), jwksUrl);
  const document = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const discovery = (await requestJson({ url: document, ...trust })) as { readonly issuer?: unknown; readonly jwks_uri?: unknown } | null;
  if (discovery?.issuer !== issuer) throw unusable(document, `it is about another issuer than ${issuer}`);
  if (typeof discovery.jwks_uri !== 'string') throw unusable(document, 'it names no jwks_uri');
  // A host other than the configured one receives no token and may not resolve to internal addresses.
  const isSameHost = URL.parse(discovery.jwks_uri)?.host === new URL(document).host;
  return keySetOf(
    await requestJson({ url: discovery.jwks_uri, ...(isSameHost ? trust : { ...reach, isForeign: true }) }),
    discovery.jwks_uri,
  );
}

/** Keeps only public keys: anyone could sign with a symmetric key in a published set. */
function keySetOf(document: unknown, url: string): JSONWebKeySet {
  const keys = (document as { readonly keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) throw unusable(url, 'it is no key set');
  const isUsable = (key: unknown): key is JWK =>
    typeof key === 'object' && key !== null && asymmetric.has((key as JWK).kty ?? '') && ((key as JWK).use ?? 'sig') === 'sig';
  return { keys: keys.filter(isUsable).slice(0, keysMax) };
}

function unusable(url: string, reason: string): Error {
  return credentialErrors.TAP_ISSUER_UNAVAILABLE({ message: `${url} cannot be used: ${reason}` });
}

import { credentialErrors, type Clock, type JwtIssuer } from '@tappaas/sdk';
import type { JSONWebKeySet, JWK } from 'jose';
import { askJson } from './https-json.js';

const issuersMax = 100;
const keysMax = 100;
/** Keys are asked for again after this, so that one that was withdrawn is no longer good. */
const freshMs = 600_000;
/** What an issuer said last counts so long when it does not answer. */
const staleMsMax = 24 * 3_600_000;
/** An issuer is asked for a key that it may have made since at most this often, whatever tokens say. */
const coolDownMs = 30_000;
const asymmetric = new Set(['EC', 'RSA', 'OKP']);

interface Known {
  readonly keys: JSONWebKeySet;
  readonly fetchedAtMs: number;
}

/** The public keys of issuers: asked for once for everybody, remembered, and asked for again when they are old or a token names another. */
export class IssuerKeys {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #known = new Map<string, Known>();
  readonly #askedAtMs = new Map<string, number>();
  readonly #asking = new Map<string, Promise<Known>>();

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** Keys that include `kid`, if the issuer has it. @throws TAP_ISSUER_UNAVAILABLE */
  async keysOf(issuer: JwtIssuer, kid: string | undefined): Promise<JSONWebKeySet> {
    const id = JSON.stringify([issuer.issuer, issuer.jwksUrl, issuer.certificateAuthority, issuer.token, issuer.allowedAddresses]);
    const known = this.#known.get(id);
    const nowMs = this.#clock.nowMs();
    const has = known !== undefined && (kid === undefined || known.keys.keys.some((key) => key.kid === kid));
    const isFresh = known !== undefined && nowMs - known.fetchedAtMs < freshMs;
    if (known !== undefined && has && isFresh) return known.keys;
    if (known !== undefined && nowMs - (this.#askedAtMs.get(id) ?? -Infinity) < coolDownMs) return usable(known, nowMs, issuer).keys;
    try {
      return (await this.#ask(id, issuer)).keys;
    } catch (error) {
      if (known === undefined) throw error;
      return usable(known, nowMs, issuer).keys;
    }
  }

  #ask(id: string, issuer: JwtIssuer): Promise<Known> {
    const asking = this.#asking.get(id);
    if (asking !== undefined) return asking;
    this.#askedAtMs.set(id, this.#clock.nowMs());
    const asked = fetchKeys(issuer)
      .then((keys) => this.#keep(id, { keys, fetchedAtMs: this.#clock.nowMs() }))
      .finally(() => this.#asking.delete(id));
    this.#asking.set(id, asked);
    return asked;
  }

  #keep(id: string, known: Known): Known {
    this.#known.delete(id);
    const oldest = this.#known.size >= issuersMax ? this.#known.keys().next().value : undefined;
    if (oldest !== undefined) {
      this.#known.delete(oldest);
      this.#askedAtMs.delete(oldest);
    }
    this.#known.set(id, known);
    return known;
  }
}

function usable(known: Known, nowMs: number, { issuer }: JwtIssuer): Known {
  if (nowMs - known.fetchedAtMs < staleMsMax) return known;
  throw credentialErrors.TAP_ISSUER_UNAVAILABLE({ message: `the keys of ${issuer} have not been answered for a day` });
}

async function fetchKeys({ issuer, jwksUrl, certificateAuthority, token, allowedAddresses = [] }: JwtIssuer): Promise<JSONWebKeySet> {
  const reach = { allowedAddresses, ...(certificateAuthority !== undefined && { certificateAuthority }) };
  const trust = { ...reach, ...(token !== undefined && { token }) };
  if (jwksUrl !== undefined) return keySetOf(await askJson({ url: jwksUrl, ...trust }), jwksUrl);
  const document = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const said = (await askJson({ url: document, ...trust })) as { readonly issuer?: unknown; readonly jwks_uri?: unknown } | null;
  if (said?.issuer !== issuer) throw unusable(document, `it is about another issuer than ${issuer}`);
  if (typeof said.jwks_uri !== 'string') throw unusable(document, 'it names no jwks_uri');
  // Another host than the operator named gets neither the token nor a way inside.
  const isSameHost = URL.parse(said.jwks_uri)?.host === new URL(document).host;
  return keySetOf(await askJson({ url: said.jwks_uri, ...(isSameHost ? trust : { ...reach, isForeign: true }) }), said.jwks_uri);
}

/** Public keys alone: a symmetric one in a published set would let everybody sign. */
function keySetOf(said: unknown, url: string): JSONWebKeySet {
  const keys = (said as { readonly keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) throw unusable(url, 'it is no key set');
  const isUsable = (key: unknown): key is JWK =>
    typeof key === 'object' && key !== null && asymmetric.has((key as JWK).kty ?? '') && ((key as JWK).use ?? 'sig') === 'sig';
  return { keys: keys.filter(isUsable).slice(0, keysMax) };
}

function unusable(url: string, reason: string): Error {
  return credentialErrors.TAP_ISSUER_UNAVAILABLE({ message: `${url} cannot be used: ${reason}` });
}

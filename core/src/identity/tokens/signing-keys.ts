import { jwtSkewMs, type Clock, type JwtClaims } from '@tappaas/sdk';
import type { JSONWebKeySet, JWK } from 'jose';
import { verifyJwt } from './verify-jwt.js';

/** A key pair as it is kept, sealed. */
interface StoredKey {
  readonly kid: string;
  /** Published before, so that who remembers key sets knows it when it signs. */
  readonly signsFromMs: number;
  readonly jwk: JWK;
}

interface StoredKeys {
  readonly keys: readonly StoredKey[];
}

/** Where the keys are kept: sealed, once for all replicas. */
export interface SigningKeyRecord {
  load(): Promise<{ readonly value: StoredKeys; readonly revision: number } | undefined>;
  /** Only when the record still has `revision`; 0: when there is none. Answers whether it was written. */
  replace(value: StoredKeys, revision: number): Promise<boolean>;
}

const algorithm = 'ES256';
const dayMs = 86_400_000;
const signsMs = 30 * dayMs;
const publishedAheadMs = dayMs;
/** Longest life of a token, milliseconds; a key is published so long after it has signed last. */
const lifetimeMsMax = dayMs;
const lookEveryMs = 60_000;

/** Loads the library of signatures while there is time for it; whoever needs it first would load it anyway. */
export async function loadSignatures(): Promise<void> {
  await import('jose');
}

/** The platform's own keys: made at the first start, replaced every 30 days, the same on every replica. */
export class SigningKeys {
  readonly #record: SigningKeyRecord;
  readonly #clock: Clock;
  readonly #issuer: string;
  #keys: readonly StoredKey[] = [];
  #published: JSONWebKeySet = { keys: [] };

  constructor(record: SigningKeyRecord, clock: Clock, issuer: string) {
    this.#record = record;
    this.#clock = clock;
    this.#issuer = issuer;
  }

  get issuer(): string {
    return this.#issuer;
  }

  /** The public halves, as they are published. */
  get published(): JSONWebKeySet {
    return this.#published;
  }

  /** Reads what is kept, and writes what is due: another key, or none of those that nobody needs any more. */
  async refresh(): Promise<void> {
    for (;;) {
      const stored = await this.#record.load();
      const keys = stored?.value.keys ?? [];
      const due = await dueKeys(keys, this.#clock.nowMs());
      if (due === keys || (await this.#record.replace({ keys: due }, stored?.revision ?? 0))) {
        this.#take(due);
        return;
      }
    }
  }

  /** Looks every minute until `signal` aborts; what fails is tried again then. */
  async keepFresh(signal: AbortSignal, failed: (error: unknown) => void): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(lookEveryMs, signal).catch(() => {});
      if (!signal.aborted) await this.refresh().catch(failed);
    }
  }

  async sign(
    claims: Readonly<Record<string, unknown>>,
    lifetimeMs: number,
  ): Promise<{ readonly token: string; readonly expiresAtMs: number }> {
    const nowMs = this.#clock.nowMs();
    const key = this.#keys.findLast(({ signsFromMs }) => signsFromMs <= nowMs);
    if (key === undefined) throw new Error('the platform has no key to sign with');
    const jose = await import('jose');
    const iat = Math.floor(nowMs / 1000);
    const exp = iat + Math.floor(Math.min(lifetimeMs, lifetimeMsMax) / 1000);
    const payload = { ...claims, iss: this.#issuer, iat, nbf: iat, exp, jti: crypto.randomUUID() };
    const signed = new jose.SignJWT(payload).setProtectedHeader({ alg: algorithm, kid: key.kid, typ: 'JWT' });
    return { token: await signed.sign(await jose.importJWK(key.jwk, algorithm)), expiresAtMs: exp * 1000 };
  }

  /** @throws TAP_CREDENTIAL_INVALID, TAP_CREDENTIAL_EXPIRED */
  verify(token: string, audiences: readonly string[]): Promise<JwtClaims> {
    const check = { issuer: this.#issuer, audiences, algorithms: [algorithm] as const, keysFor: () => this.#published };
    return verifyJwt(token, check, this.#clock);
  }

  #take(keys: readonly StoredKey[]): void {
    this.#keys = keys;
    this.#published = {
      keys: keys.map(({ kid, jwk: { kty = '', crv = '', x = '', y = '' } }) => ({ kty, crv, x, y, kid, alg: algorithm, use: 'sig' })),
    };
  }
}

/** The same list when nothing is due. Keys stand in the order in which they begin to sign. */
async function dueKeys(keys: readonly StoredKey[], nowMs: number): Promise<readonly StoredKey[]> {
  const isNeeded = (_: StoredKey, index: number): boolean => {
    const next = keys[index + 1];
    return next === undefined || nowMs < next.signsFromMs + lifetimeMsMax + jwtSkewMs;
  };
  const needed = keys.filter(isNeeded);
  const last = needed.at(-1);
  if (last === undefined) return [await newKey(nowMs)];
  if (nowMs >= last.signsFromMs + signsMs - publishedAheadMs) return [...needed, await newKey(nowMs + publishedAheadMs)];
  return needed.length === keys.length ? keys : needed;
}

async function newKey(signsFromMs: number): Promise<StoredKey> {
  const jose = await import('jose');
  const { privateKey } = await jose.generateKeyPair(algorithm, { extractable: true });
  const jwk = await jose.exportJWK(privateKey);
  return { kid: await jose.calculateJwkThumbprint(jwk), signsFromMs, jwk };
}

import { jwtSkewMs, type Clock, type JwtClaims } from '@tappaas/sdk';
import type { JSONWebKeySet, JWK } from 'jose';
import { verifyJwt } from './verify-jwt.js';

/** A stored key pair; sealed at rest. */
interface StoredKey {
  readonly kid: string;
  /** Published earlier than this, so that cached key sets contain the key when it starts to sign. */
  readonly signsFromMs: number;
  readonly jwk: JWK;
}

interface StoredKeys {
  readonly keys: readonly StoredKey[];
}

/** Persists the keys: sealed, and shared by all replicas. */
export interface SigningKeyRecord {
  load(): Promise<{ readonly value: StoredKeys; readonly revision: number } | undefined>;
  /** Writes only if the record still has `revision` (0: does not exist). Returns whether it was written. */
  replace(value: StoredKeys, revision: number): Promise<boolean>;
}

const algorithm = 'ES256';
const dayMs = 86_400_000;
const signsMs = 30 * dayMs;
const publishedAheadMs = dayMs;
/** Maximum lifetime of a token in milliseconds; a key stays published that long after it last signed. */
const lifetimeMsMax = dayMs;
const lookEveryMs = 60_000;

/** Loads the signature library in advance; otherwise it is loaded on first use. */
export async function loadSignatures(): Promise<void> {
  await import('jose');
}

/** The platform's own signing keys: created at the first start, replaced every 30 days, and shared by all replicas. */
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

  /** The published public keys. */
  get published(): JSONWebKeySet {
    return this.#published;
  }

  /** Loads the keys and writes due changes: adds a key, or removes keys that are no longer needed. */
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

  /** Refreshes every minute until `signal` aborts; failures are retried then. */
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

/** Returns the keys after due changes, or the same list if there are none. Keys are in the order in which they start to sign. */
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

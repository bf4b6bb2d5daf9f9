import { credentialErrors, type Clock, type Identity } from '@tappaas/sdk';
import { identityErrors } from './errors.js';

type Answer = Identity | undefined;

/** Limits of the cache; each has a default. */
export interface CredentialCacheLimits {
  readonly entriesMax: number;
  /** Maximum number of concurrent verifications. */
  readonly flightsMax: number;
  readonly ttlMs: number;
}

/** Together with the 4 s between two checks of a stream and the second of its sweep, this keeps the promised 10 s. */
const defaultLimits: CredentialCacheLimits = { entriesMax: 10_000, flightsMax: 1_000, ttlMs: 5_000 };

interface Entry {
  readonly identity: Identity;
  /** When verification began. An earlier time means that the clock was set back, so the age is unknown. */
  readonly fromMs: number;
  readonly untilMs: number;
}

interface PendingVerification {
  readonly key: string;
  /** Value of the change counter when verification began. */
  readonly changes: number;
  readonly atMs: number;
}

/**
 * Caches recent verifications by a digest of the credential; a hit costs one lookup. Only successes are cached, so that a credential that
 * becomes valid works immediately. Concurrent requests with the same credential share a single verification.
 */
export class CredentialCache {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #limits: CredentialCacheLimits;
  readonly #entries = new Map<string, Entry>();
  readonly #keysOf = new Map<string, Set<string>>();
  readonly #flights = new Map<string, Promise<Answer>>();
  /** Incremented with every change: a verification that began before a change is not cached after it. */
  #changes = 0;

  constructor(clock: Pick<Clock, 'nowMs'>, limits: Partial<CredentialCacheLimits> = {}) {
    this.#clock = clock;
    this.#limits = { ...defaultLimits, ...limits };
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * Returns the cached result, or calls `verify` once. @throws TAP_CREDENTIAL_EXPIRED, TAP_CREDENTIAL_BUSY, and whatever `verify` throws
   */
  ask(key: string, verify: () => Answer | Promise<Answer>): Answer | Promise<Answer> {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      const nowMs = this.#clock.nowMs();
      if (nowMs >= known.fromMs && nowMs < known.untilMs) return known.identity;
      this.#forget(key, known);
    }
    const flying = this.#flights.get(key);
    if (flying !== undefined) return flying;
    if (this.#flights.size >= this.#limits.flightsMax) {
      throw identityErrors.TAP_CREDENTIAL_BUSY({ message: `${this.#limits.flightsMax} credentials are being verified` });
    }
    const pending = { key, changes: this.#changes, atMs: this.#clock.nowMs() };
    const answer = verify();
    if (!(answer instanceof Promise)) return this.#keep(answer, pending);
    const flight = answer
      .then((identity) => this.#keep(identity, pending))
      .finally(() => {
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
      });
    this.#flights.set(key, flight);
    return flight;
  }

  /** Drops a credential that is no longer valid, and ignores earlier verifications. */
  revoke(credentialId: string): void {
    this.#leaveFlights();
    for (const key of this.#keysOf.get(credentialId) ?? []) this.#entries.delete(key);
    this.#keysOf.delete(credentialId);
  }

  /** Drops everything, because authenticators have changed. */
  clear(): void {
    this.#leaveFlights();
    this.#entries.clear();
    this.#keysOf.clear();
  }

  /** Detaches verifications in flight, so that later requests do not receive their results. */
  #leaveFlights(): void {
    this.#changes += 1;
    this.#flights.clear();
  }

  #keep(identity: Answer, { key, changes, atMs }: PendingVerification): Answer {
    if (identity === undefined) return undefined;
    const { credentialId, expiresAtMs = Infinity } = identity;
    if (expiresAtMs <= this.#clock.nowMs()) throw credentialErrors.TAP_CREDENTIAL_EXPIRED({ message: 'the credential has expired' });
    if (changes !== this.#changes) return identity;
    const oldest = this.#entries.size >= this.#limits.entriesMax ? this.#entries.entries().next().value : undefined;
    if (oldest !== undefined) this.#forget(...oldest);
    // The lifetime starts when verification began, because that may be when the underlying data was read.
    this.#entries.set(key, { identity, fromMs: atMs, untilMs: Math.min(atMs + this.#limits.ttlMs, expiresAtMs) });
    const keys = this.#keysOf.get(credentialId) ?? new Set();
    this.#keysOf.set(credentialId, keys.add(key));
    return identity;
  }

  #forget(key: string, { identity }: Entry): void {
    this.#entries.delete(key);
    const keys = this.#keysOf.get(identity.credentialId);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysOf.delete(identity.credentialId);
  }
}

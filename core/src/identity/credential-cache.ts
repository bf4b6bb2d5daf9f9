import { credentialErrors, type Clock, type Identity } from '@tappaas/sdk';
import { identityErrors } from './errors.js';

type Answer = Identity | undefined;

/** Bounds of the cache; each has a default. */
export interface CredentialCacheLimits {
  readonly entriesMax: number;
  /** Credentials being verified at a time. */
  readonly flightsMax: number;
  readonly ttlMs: number;
}

/** With the 4 s between two looks at a stream and the second of its sweep, this makes the promised 10 s. */
const defaultLimits: CredentialCacheLimits = { entriesMax: 10_000, flightsMax: 1_000, ttlMs: 5_000 };

interface Entry {
  readonly identity: Identity;
  /** When it was asked for: before that only a clock that was set back can be, and nobody knows how long ago it was. */
  readonly fromMs: number;
  readonly untilMs: number;
}

interface Asked {
  readonly key: string;
  /** Count of changes when it was asked. */
  readonly changes: number;
  readonly atMs: number;
}

/**
 * What was verified a moment ago, by a digest of the credential: a hit is one lookup. Only who was let in is remembered, so that a
 * credential which becomes good is good at once. Requests that come while their credential is being verified wait for the one call.
 */
export class CredentialCache {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #limits: CredentialCacheLimits;
  readonly #entries = new Map<string, Entry>();
  readonly #keysOf = new Map<string, Set<string>>();
  readonly #flights = new Map<string, Promise<Answer>>();
  /** Rises with every change: an answer that was asked for before it is not remembered after it. */
  #changes = 0;

  constructor(clock: Pick<Clock, 'nowMs'>, limits: Partial<CredentialCacheLimits> = {}) {
    this.#clock = clock;
    this.#limits = { ...defaultLimits, ...limits };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Answers from memory, or asks `verify` once. @throws TAP_CREDENTIAL_EXPIRED, TAP_CREDENTIAL_BUSY, and whatever `verify` throws */
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
    const asked = { key, changes: this.#changes, atMs: this.#clock.nowMs() };
    const answer = verify();
    if (!(answer instanceof Promise)) return this.#keep(answer, asked);
    const flight = answer
      .then((identity) => this.#keep(identity, asked))
      .finally(() => {
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
      });
    this.#flights.set(key, flight);
    return flight;
  }

  /** The credential is no longer good, whatever was heard of it before. */
  revoke(credentialId: string): void {
    this.#leaveFlights();
    for (const key of this.#keysOf.get(credentialId) ?? []) this.#entries.delete(key);
    this.#keysOf.delete(credentialId);
  }

  /** Others may answer from now on, or the same ones otherwise. */
  clear(): void {
    this.#leaveFlights();
    this.#entries.clear();
    this.#keysOf.clear();
  }

  /** Who asks from now on must not be told what was found out before. */
  #leaveFlights(): void {
    this.#changes += 1;
    this.#flights.clear();
  }

  #keep(identity: Answer, { key, changes, atMs }: Asked): Answer {
    if (identity === undefined) return undefined;
    const { credentialId, expiresAtMs = Infinity } = identity;
    if (expiresAtMs <= this.#clock.nowMs()) throw credentialErrors.TAP_CREDENTIAL_EXPIRED({ message: 'the credential has expired' });
    if (changes !== this.#changes) return identity;
    const oldest = this.#entries.size >= this.#limits.entriesMax ? this.#entries.entries().next().value : undefined;
    if (oldest !== undefined) this.#forget(...oldest);
    // Counted from the question: what it was answered from may have been read right then.
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

import { createHash } from 'node:crypto';
import type { Change, Guard } from '@tappaas/sdk';
import type { CreateOrUpdate } from '../ports/engine.js';
import { operationOf } from './begun-operation.js';
import type { EngineState } from './engine-state.js';
import { resourceErrors } from './errors.js';
import { keyReused, wellFormedKey } from './idempotency-key.js';
import { answerOf, storedAnswer } from './stored-answer.js';
import { KeyCounts } from './key-counts.js';
import type { Mutated } from './mutation.js';
import type { Found } from './registry.js';
import type { Body } from './stored-object.js';
import type { WriteOptions } from './write-options.js';

/** Minimum time that an answer is kept; its lease, shared by the requests of an hour, may last a day. */
const idempotencyTtlMs = 23 * 3_600_000;
/** Maximum number of records that one process makes per window for a tenant, or for a user without a tenant. */
const keysPerCallerMax = 100_000;
const digestCharacters = 64;

/** What a create adds to its transaction, so that a repeated request is recognized. */
export interface Record {
  readonly guards: readonly Guard[];
  readonly changes: (object: Body) => Promise<readonly Change[]>;
  /** Called when the record exists already because the same request was faster elsewhere. */
  readonly refused: () => Promise<void>;
}

/** A create that may be a repetition. */
interface Repeated {
  readonly found: Found;
  readonly key: string;
  readonly digest: string;
  readonly mayRead: (name: string) => Promise<void>;
}

/**
 * Answers a repeated create with the answer of the first.
 *
 * The record is written in the transaction that creates the object, so it exists if and only if the object was created, even after a crash.
 * It stores no version: having been written together, it has the object's own.
 */
export class Idempotency {
  readonly #state: EngineState;
  readonly #running = new Set<string>();
  readonly #counts: KeyCounts;

  constructor(state: EngineState, keysMax: number = keysPerCallerMax) {
    this.#state = state;
    this.#counts = new KeyCounts(keysMax, idempotencyTtlMs);
  }

  /** Runs `create` once per idempotency key of a caller. @throws TAP_REQUEST_KEY_REUSED, TAP_REQUEST_RUNNING, TAP_REQUEST_INVALID */
  async once(found: Found, write: CreateOrUpdate, options: WriteOptions, create: (record: Record) => Promise<Mutated>): Promise<Mutated> {
    const idempotencyKey = wellFormedKey(options.idempotencyKey ?? '');
    const key = this.#state.keys.record('idempotency', sha256(options.caller.tenant ?? '', options.caller.name, idempotencyKey));
    if (this.#running.has(key)) throw running();
    this.#running.add(key);
    try {
      const repeated: Repeated = {
        found,
        key,
        digest: digestOf(write),
        mayRead: async (name) => options.authorizeGet?.({ ...write.target, name }),
      };
      return (await this.#replay(repeated)) ?? (await this.#first(repeated, options, create));
    } finally {
      this.#running.delete(key);
    }
  }

  async #first(repeated: Repeated, { caller }: WriteOptions, create: (record: Record) => Promise<Mutated>): Promise<Mutated> {
    const { found, key, digest } = repeated;
    const { clock } = this.#state;
    const owner = caller.tenant === undefined ? `user ${caller.name}` : `tenant ${caller.tenant}`;
    this.#counts.check(owner, clock.nowMs());
    const refused = (): Promise<void> => Promise.reject(running());
    try {
      const changes = (object: Body): Promise<readonly Change[]> => this.#changes(found, key, digest, object);
      const made = await create({ guards: [{ key, modRevision: 0 }], changes, refused });
      this.#counts.add(owner, clock.nowMs());
      return made;
    } catch (error) {
      const { code } = error as { readonly code?: string };
      const wasFaster = code === 'TAP_REQUEST_RUNNING' || code === 'TAP_OBJECT_EXISTS';
      const answer = wasFaster ? await this.#replay(repeated) : undefined;
      if (answer) return answer;
      throw error;
    }
  }

  async #changes({ entry }: Found, key: string, digest: string, object: Body): Promise<readonly Change[]> {
    const answer = await storedAnswer(this.#state, entry, key, object);
    return [{ put: key, value: Buffer.concat([Buffer.from(digest), answer]), lease: await this.#state.leases.lease(idempotencyTtlMs) }];
  }

  async #replay({ found: { entry }, key, digest, mayRead }: Repeated): Promise<Mutated | undefined> {
    const kept = await this.#state.store.get(key);
    if (kept === undefined) return undefined;
    if (Buffer.from(kept.value.subarray(0, digestCharacters)).toString() !== digest) {
      throw keyReused();
    }
    const stored = await answerOf(this.#state, entry, { record: kept, answer: kept.value.subarray(digestCharacters), mayRead });
    const operation = operationOf(entry, stored.object);
    return { outcome: 'created', stored, ...(operation && { operation }) };
  }
}

const running = (): Error =>
  resourceErrors.TAP_REQUEST_RUNNING({ message: 'a request with this idempotency key is still running', retryAfterMs: 1000 });

function digestOf({ target, body, mediaType }: CreateOrUpdate): string {
  return sha256(JSON.stringify(target), mediaType, body);
}

/** Includes lengths, so that no two lists of parts have the same digest. */
function sha256(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest('hex');
}

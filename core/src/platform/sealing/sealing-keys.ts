import type { Clock, ResourceStore } from '@tappaas/sdk';
import { createSealer, type Sealer } from '../../secrets/envelope.js';
import type { KeyFile } from '../../secrets/key-file.js';
import { reencrypt, type ReencryptionResult } from '../../secrets/reencryption.js';
import { platformErrors } from '../errors.js';
import { withTimeLimit } from '../time-limit.js';

/** The ids of the keys with which confidential data is sealed. */
export interface SealingKeysView {
  readonly current: string;
  readonly all: readonly string[];
}

/** A change of the keys. `retire` requires the id of the key. */
export type SealingKeysChange = 'rotate' | 'reencrypt' | 'retire';

export interface SealingKeysParts {
  readonly file: KeyFile;
  readonly store: ResourceStore;
  /** Resolves when every other running process has read the file again. */
  readonly spread: () => Promise<void>;
  readonly clock: Clock;
}

/** Less than the time limit of a request; the rest is done by the next call. */
const reencryptMsMax = 40_000;

/** Rotates the keys in the one process that keeps the file; changes run one after another. */
export class SealingKeys {
  readonly #parts: SealingKeysParts;
  readonly #sealer: Sealer;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: SealingKeysParts) {
    this.#parts = parts;
    this.#sealer = createSealer(parts.file);
  }

  view(): SealingKeysView {
    const { currentKeyId, keyIds } = this.#parts.file;
    return { current: currentKeyId, all: keyIds };
  }

  /** @throws TAP_SEAL_KEY_UNKNOWN; TAP_SEALING_KEY_IN_USE while not everything is sealed with the current one; TAP_PROCESS_FAILED */
  change(change: SealingKeysChange, keyId: string): Promise<SealingKeysView & ReencryptionResult> {
    const changed = this.#last.then(() => this.#change(change, keyId));
    this.#last = changed.catch(() => undefined);
    return changed;
  }

  async #change(change: SealingKeysChange, keyId: string): Promise<SealingKeysView & ReencryptionResult> {
    const { file, spread } = this.#parts;
    if (change === 'rotate') await file.rotate();
    // All processes must use the new key before everything is sealed again.
    await spread();
    const result = await this.#reencrypt();
    if (change === 'retire') {
      if (!result.isComplete) {
        const message = `not everything is sealed with ${file.currentKeyId} yet; ${result.resealed} values have just been`;
        throw platformErrors.TAP_SEALING_KEY_IN_USE({ message });
      }
      await this.#forgetHistory();
      await file.retire(keyId);
      await spread();
    }
    return { ...this.view(), ...result };
  }

  /** Compacts the store: watches and starting caches could still read earlier values, which could no longer be opened. */
  async #forgetHistory(): Promise<void> {
    const { store } = this.#parts;
    const { revision, compactedRevision } = store.health();
    if (revision > compactedRevision) await store.compact(revision);
  }

  #reencrypt(): Promise<ReencryptionResult> {
    const { store, clock } = this.#parts;
    return withTimeLimit({ clock, limitMs: reencryptMsMax }, (limit) => reencrypt(store, this.#sealer, limit));
  }
}

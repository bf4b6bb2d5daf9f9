import { administratorsGroup, type Clock } from '@tappaas/sdk';
import { createTokenOf, type NewToken, type StoredToken } from './stored-token.js';

/** Persists the first token in the store rather than in a file, so that it is part of backups and known to every replica. */
export interface AdminTokenRecord {
  readonly load: () => Promise<StoredToken | undefined>;
  /** Creates the record; returns false when another replica was first, whose token is then used. */
  readonly create: (stored: StoredToken) => Promise<boolean>;
  /** Overwrites any existing record. */
  readonly save: (stored: StoredToken) => Promise<void>;
}

/** Keeps the plaintext token where the administrator finds it. */
export interface AdminTokenHolder {
  readonly keep: (token: string) => Promise<void>;
  /** Undoes `keep`, because another replica's token is used. */
  readonly drop: () => Promise<void>;
}

/** The administrator's token; `token` is present only when it has just been made. */
export interface AdminToken {
  readonly stored: StoredToken;
  readonly token?: string;
}

/** User name of the holder of the first token, also in the audit log. */
export const firstAdministrator = 'admin';

/**
 * Creates the token at the first start; later starts find its hash. The holder receives the token before the store receives the hash, so
 * that a crash in between never leaves a hash whose token is unknown.
 */
export async function ensureAdminToken(
  record: AdminTokenRecord,
  holder: AdminTokenHolder,
  clock: Pick<Clock, 'nowMs'>,
): Promise<AdminToken> {
  const known = await record.load();
  if (known !== undefined) return { stored: known };
  const { token, stored } = newAdminToken(clock);
  await holder.keep(token);
  if (await record.create(stored)) return { stored, token };
  await holder.drop();
  const rival = await record.load();
  return rival === undefined ? ensureAdminToken(record, holder, clock) : { stored: rival };
}

/**
 * Replaces the token, if any; afterwards the old one is no longer in the store. If a write fails, the holder gets the old token back, which
 * is still valid. If the process ends in between, the holder has a token that the store does not know; the next start can replace it.
 */
export async function replaceAdminToken(
  record: Pick<AdminTokenRecord, 'save'>,
  holder: AdminTokenHolder,
  clock: Pick<Clock, 'nowMs'>,
): Promise<Required<AdminToken>> {
  const { token, stored } = newAdminToken(clock);
  await holder.keep(token);
  try {
    await record.save(stored);
  } catch (error) {
    await holder.drop();
    throw error;
  }
  return { stored, token };
}

function newAdminToken(clock: Pick<Clock, 'nowMs'>): NewToken {
  return createTokenOf({ name: firstAdministrator, groups: [administratorsGroup], createdAtMs: clock.nowMs() });
}

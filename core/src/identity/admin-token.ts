import { administratorsGroup, type Clock } from '@tappaas/sdk';
import { createTokenOf, type NewToken, type StoredToken } from './stored-token.js';

/** Where the first token is kept: the store, not a file beside it, so that it goes into backups and every replica knows it. */
export interface AdminTokenRecord {
  readonly load: () => Promise<StoredToken | undefined>;
  /** Creates only: answers false when another replica was first, and what it stored counts. */
  readonly create: (stored: StoredToken) => Promise<boolean>;
  /** Writes whatever was there before. */
  readonly save: (stored: StoredToken) => Promise<void>;
}

/** Where the administrator finds the token itself. */
export interface AdminTokenHolder {
  readonly keep: (token: string) => Promise<void>;
  /** Undoes `keep`: another replica's token counts. */
  readonly drop: () => Promise<void>;
}

/** The administrator's token; `token` is there only when it has just been made. */
export interface AdminToken {
  readonly stored: StoredToken;
  readonly token?: string;
}

/** What the holder of the first token is called, in the audit log too. */
export const firstAdministrator = 'admin';

/**
 * Makes the one token of the first start; later starts find its hash. The holder has the token before the store has the hash: whatever
 * ends the process in between, there is never a hash whose token nobody knows.
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
 * Makes another token in place of the one there is, if any; from then on the old one is not in the store. When a write
 * fails in between, the holder gets the old token back, which is still good. A process that ends in between leaves the holder with a token that the store
 * does not know: the next start can make another one.
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

import type { Clock } from '@tappaas/sdk';
import { createToken, type StoredToken } from './api-token.js';

/** Where the first token is kept: the store, not a file beside it, so that it goes into backups and every replica knows it. */
export interface AdminTokenRecord {
  readonly load: () => Promise<StoredToken | undefined>;
  /** Creates only: answers false when another replica was first, and what it stored counts. */
  readonly create: (stored: StoredToken) => Promise<boolean>;
}

/** The administrator's token; `token` is there only when it has just been made. */
export interface AdminToken {
  readonly stored: StoredToken;
  readonly token?: string;
}

/** The group whose members may do everything. */
export const administrators = 'system:masters';

/** Makes the one token of the first start; later starts find its hash. */
export async function ensureAdminToken(record: AdminTokenRecord, clock: Pick<Clock, 'nowMs'>): Promise<AdminToken> {
  const known = await record.load();
  if (known !== undefined) return { stored: known };
  const { token, stored } = createToken({ name: 'admin', groups: [administrators], createdAtMs: clock.nowMs() });
  if (await record.create(stored)) return { stored, token };
  const rival = await record.load();
  return rival === undefined ? ensureAdminToken(record, clock) : { stored: rival };
}

/** What is printed once, at the first start. */
export function adminTokenNotice(token: string, server: string): string {
  return [
    'An administrator token has been made. It is shown this once and stored only as a hash:',
    '',
    `  ${token}`,
    '',
    'Log in from any machine that reaches the API:',
    '',
    `  tappaas login ${server} --token ${token}`,
    '',
  ].join('\n');
}

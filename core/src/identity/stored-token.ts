import { createToken, type TokenRecord } from '@tappaas/sdk/bearer-token';

/** A token of the platform's own as it is kept. */
export interface StoredToken extends TokenRecord {
  readonly name: string;
  readonly groups: readonly string[];
  readonly createdAtMs: number;
  readonly expiresAtMs?: number;
}

/** The whole token beside what is kept of it; it is shown once and forgotten. */
export interface NewToken {
  readonly token: string;
  readonly stored: StoredToken;
}

export function createTokenOf(owner: Omit<StoredToken, keyof TokenRecord>): NewToken {
  const { token, ...record } = createToken();
  return { token, stored: { ...owner, ...record } };
}

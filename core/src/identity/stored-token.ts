import { createToken, type TokenRecord } from '@tappaas/sdk/bearer-token';

/** The stored form of one of the platform's own tokens. */
export interface StoredToken extends TokenRecord {
  readonly name: string;
  readonly groups: readonly string[];
  readonly createdAtMs: number;
  readonly expiresAtMs?: number;
}

/** The plaintext token with its stored form; it is shown once and not kept. */
export interface NewToken {
  readonly token: string;
  readonly stored: StoredToken;
}

export function createTokenOf(owner: Omit<StoredToken, keyof TokenRecord>): NewToken {
  const { token, ...record } = createToken();
  return { token, stored: { ...owner, ...record } };
}

import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** The form of tokens: an id to look it up by, and 256 bits that only its owner and, hashed, the platform know. */
const form = /^tapp_(?<id>[0-9a-f]{12})_(?<secret>[A-Za-z0-9_-]{43})$/;

/** A token as it is kept. */
export interface StoredToken {
  readonly id: string;
  /** Hash of the whole token, in hexadecimal digits. */
  readonly sha256: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly createdAtMs: number;
  readonly expiresAtMs?: number;
}

/** The whole token beside what may be kept of it; it is shown once and forgotten. */
export interface NewToken {
  readonly token: string;
  readonly stored: StoredToken;
}

export function createToken(owner: Omit<StoredToken, 'id' | 'sha256'>): NewToken {
  const id = randomBytes(6).toString('hex');
  const token = `tapp_${id}_${randomBytes(32).toString('base64url')}`;
  return { token, stored: { ...owner, id, sha256: hashOf(token).toString('hex') } };
}

/** The id of a token; nothing when the text is none of ours. */
export function tokenId(text: string): string | undefined {
  return form.exec(text)?.groups?.['id'];
}

/** Compares in constant time, so that nothing can be learned from how long it takes. */
export function isToken(text: string, { sha256 }: Pick<StoredToken, 'sha256'>): boolean {
  const expected = Buffer.from(sha256, 'hex');
  const found = hashOf(text);
  return expected.byteLength === found.byteLength && timingSafeEqual(expected, found);
}

function hashOf(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}

const bearer = /^bearer +(\S+) *$/i;

/** The token of an `Authorization: Bearer` header. */
export function bearerToken(headers: Readonly<Record<string, string>>): string | undefined {
  return bearer.exec(headers['authorization'] ?? '')?.[1];
}

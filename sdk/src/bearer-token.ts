import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** The form of tokens: an id to look it up by, and 256 bits that only its owner and, hashed, the platform know. */
const form = /^tapp_(?<id>[0-9a-f]{12})_(?<secret>[A-Za-z0-9_-]{43})$/;

/** What may be kept of a token. */
export interface TokenRecord {
  readonly id: string;
  /** Hash of the whole token, in hexadecimal digits. */
  readonly sha256: string;
}

/** Makes a random API token; what may be kept of it is beside it, the token itself is to be shown once and forgotten. */
export function createToken(): TokenRecord & { readonly token: string } {
  const id = randomBytes(6).toString('hex');
  const token = `tapp_${id}_${randomBytes(32).toString('base64url')}`;
  return { token, id, sha256: hashOf(token).toString('hex') };
}

/** Reads the id of an API token; nothing when the text is none. */
export function tokenId(text: string): string | undefined {
  return form.exec(text)?.groups?.['id'];
}

/** Compares a token with what is kept, in constant time, so that nothing can be learned from how long it takes. */
export function isToken(text: string, { sha256 }: Pick<TokenRecord, 'sha256'>): boolean {
  const expected = Buffer.from(sha256, 'hex');
  const found = hashOf(text);
  return expected.byteLength === found.byteLength && timingSafeEqual(expected, found);
}

function hashOf(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}

const bearer = /^bearer +(\S+) *$/i;

/** Takes the token out of an `Authorization: Bearer` header; nothing when the header is absent or something else. */
export function bearerToken(headers: Readonly<Record<string, string>>): string | undefined {
  return bearer.exec(headers['authorization'] ?? '')?.[1];
}

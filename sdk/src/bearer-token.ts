import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** The form of a token: an id for the lookup, and 256 random bits, of which the platform stores only a hash. */
const form = /^tapp_(?<id>[0-9a-f]{12})_(?<secret>[A-Za-z0-9_-]{43})$/;

/** The part of a token that may be stored. */
export interface TokenRecord {
  readonly id: string;
  /** Hash of the whole token, in hexadecimal digits. */
  readonly sha256: string;
}

/** Creates a random API token together with its record, which may be stored; the token itself must be shown once and not be stored. */
export function createToken(): TokenRecord & { readonly token: string } {
  const id = randomBytes(6).toString('hex');
  const token = `tapp_${id}_${randomBytes(32).toString('base64url')}`;
  return { token, id, sha256: hashOf(token).toString('hex') };
}

/** Returns the id of an API token; undefined if the text is not one. */
export function tokenId(text: string): string | undefined {
  return form.exec(text)?.groups?.['id'];
}

/** Compares a token with its record, in constant time, so that the duration reveals nothing. */
export function isToken(text: string, { sha256 }: Pick<TokenRecord, 'sha256'>): boolean {
  const expected = Buffer.from(sha256, 'hex');
  const found = hashOf(text);
  return expected.byteLength === found.byteLength && timingSafeEqual(expected, found);
}

function hashOf(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}

const bearer = /^bearer +(\S+) *$/i;

/** Extracts the token from an `Authorization: Bearer` header; undefined if the header is absent or of another scheme. */
export function bearerToken(headers: Readonly<Record<string, string>>): string | undefined {
  return bearer.exec(headers['authorization'] ?? '')?.[1];
}

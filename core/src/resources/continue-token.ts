import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { resourceErrors } from './errors.js';

/** Position of a list: continues after `after` at `revision`, or at the current revision if that is undefined. */
export interface Position {
  readonly after: string;
  readonly epoch: number;
  readonly revision?: number;
}

/** The query a token is bound to: everything that determines which objects a list returns, and in which order. */
export type Query = Readonly<Record<string, string | undefined>>;

/** Makes and reads `continue` tokens, which are sealed so that clients can neither forge one nor use it for another query. */
export interface TokenBox {
  write(position: Position, query: Query): string;
  /** @throws TAP_REQUEST_INVALID */
  read(token: string, query: Query): Position;
}

const nonceBytes = 12;
const tagBytes = 16;
const tokenCharactersMax = 4096;

/** Makes a token box with a 32-byte key that all replicas share. */
export function createTokenBox(key: Uint8Array): TokenBox {
  return {
    write(position, query) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(digest(query));
      const sealed = Buffer.concat([cipher.update(JSON.stringify(position)), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
    },
    read(token, query) {
      const bytes = Buffer.from(token.slice(0, tokenCharactersMax), 'base64url');
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
          .setAAD(digest(query))
          .setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
        return JSON.parse(
          `${decipher.update(bytes.subarray(nonceBytes + tagBytes), undefined, 'utf8')}${decipher.final('utf8')}`,
        ) as Position;
      } catch (cause) {
        const message = 'continue: expected a token that this server gave for the same list, found another';
        throw resourceErrors.TAP_REQUEST_INVALID({ message, field: 'continue', cause });
      }
    },
  };
}

function digest(query: Query): Buffer {
  return createHash('sha256')
    .update(JSON.stringify(Object.entries(query).sort(([one], [other]) => (one < other ? -1 : 1))))
    .digest();
}

import { platformEngine } from '@tappaas/sdk';
import { sendJson } from './answer/answer.js';
import type { Exchange } from './request/exchange.js';
import { unknownPath } from './objects/object-router.js';

/** Who signs tokens of the platform, and the public keys that they are verified with. */
export interface PublishedKeys {
  readonly issuer: string;
  readonly keys: object;
}

const keysPath = '/openid/v1/jwks';
const issuerPath = '/.well-known/openid-configuration';

/** Open to everybody: who verifies tokens of the platform has no credential here. */
export const publishedPaths: readonly string[] = [keysPath, issuerPath];

export function answerPublished(exchange: Exchange, published: (() => PublishedKeys | undefined) | undefined): void {
  const known = exchange.info.engine === platformEngine ? published?.() : undefined;
  if (known === undefined) throw unknownPath(exchange);
  sendJson(exchange, 200, exchange.info.path === keysPath ? known.keys : issuerDocument(known.issuer));
}

/** Found by OpenID Connect's discovery. @source OpenID Connect Discovery 1.0, section 4 */
function issuerDocument(issuer: string): object {
  return {
    issuer,
    jwks_uri: issuer + keysPath,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  };
}

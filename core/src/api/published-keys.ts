import { platformEngine } from '@tappaas/sdk';
import { sendJson } from './answer/answer.js';
import type { Exchange } from './request/exchange.js';
import { unknownPath } from './objects/object-router.js';

/** The issuer of the platform's tokens, and the public keys to verify them with. */
export interface PublishedKeys {
  readonly issuer: string;
  readonly keys: object;
}

const keysPath = '/openid/v1/jwks';
const issuerPath = '/.well-known/openid-configuration';

/** Public paths: programs that verify tokens of the platform have no credential for it. */
export const publishedPaths: readonly string[] = [keysPath, issuerPath];

export function answerPublished(exchange: Exchange, published: (() => PublishedKeys | undefined) | undefined): void {
  const known = exchange.info.engine === platformEngine ? published?.() : undefined;
  if (known === undefined) throw unknownPath(exchange);
  sendJson(exchange, 200, exchange.info.path === keysPath ? known.keys : issuerDocument(known.issuer));
}

/** Makes the document of OpenID Connect discovery. @source OpenID Connect Discovery 1.0, section 4 */
function issuerDocument(issuer: string): object {
  return {
    issuer,
    jwks_uri: issuer + keysPath,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  };
}

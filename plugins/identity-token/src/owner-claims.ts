import { hash } from 'node:crypto';
import { deny, type Claim, type Immutable } from '@tappaas/sdk';
import type { ApiTokenObject } from './contract.js';

/**
 * Claims one of the tokens of the token's user, whoever creates it: they are limited because every process keeps all tokens in memory. The
 * counter's name contains only a digest of the user's name, which may be longer than a counter's name.
 */
export function ownerClaims({ spec }: Immutable<ApiTokenObject>, tokensPerPersonMax: number): readonly Claim[] {
  const { user = '', tenant = '' } = spec;
  const denial = deny({
    field: 'spec.user',
    reason: 'TooManyTokens',
    message: `"${user}" may have ${tokensPerPersonMax} tokens; delete those that are not used`,
  });
  const owner = hash('sha256', JSON.stringify([tenant, user]), 'base64url');
  return [{ counter: `tokens/${owner}`, amount: 1, max: tokensPerPersonMax, denial }];
}

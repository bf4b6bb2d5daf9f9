import { hash } from 'node:crypto';
import { deny, type Claim, type Immutable } from '@tappaas/sdk';
import type { ApiTokenObject } from './contract.js';

/**
 * A place among those of whom a token stands for, whoever makes it: every process of the platform remembers all tokens. Of the name only a
 * digest, since names may be longer than a counter's.
 */
export function personClaims({ spec }: Immutable<ApiTokenObject>, tokensPerPersonMax: number): readonly Claim[] {
  const { user = '', tenant = '' } = spec;
  const denial = deny({
    field: 'spec.user',
    reason: 'TooManyTokens',
    message: `"${user}" may have ${tokensPerPersonMax} tokens; delete those that nobody uses`,
  });
  const person = hash('sha256', JSON.stringify([tenant, user]), 'base64url');
  return [{ counter: `tokens/${person}`, amount: 1, max: tokensPerPersonMax, denial }];
}

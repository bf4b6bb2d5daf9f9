import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import { Session } from '../dist/contract.js';
import identityOidc from '../dist/index.js';

const issuers = [{ name: 'corp', issuer: 'https://login.example.invalid', clientId: 'tappaas' }];
const spec = {
  issuer: 'corp',
  subject: 'ann',
  user: 'ann',
  groups: ['developers'],
  cookieId: 'a'.repeat(12),
  sha256: 'b'.repeat(64),
  validUntil: '2030-01-01T00:00:00Z',
  expiresAt: '2030-01-01T00:00:00Z',
};
const make = () => ({
  plugin: load(identityOidc, { issuers } as never, { id: 'oidc' }),
  objects: [{ kind: Session, object: { name: 'oidc-1', spec } }],
});
for (const { title, run } of conformance.plugin(make)) test(title, (t) => t.notThrowsAsync(run));

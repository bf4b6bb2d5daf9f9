import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformance, load, type TestKernel } from '@tappaas/testing';
import test from 'ava';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { issueAuthority, issueServer } from '../../../core/dist/api/certificates/certificate-issuer.js';
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
  plugin: load(identityOidc, { issuers }, { id: 'oidc' }),
  objects: [{ kind: Session, object: { name: 'oidc-1', spec } }],
});

const scratch = await mkdtemp(join(tmpdir(), 'identity-oidc-'));
const authority = await issueAuthority(Date.now());
const certificateAuthorityFile = join(scratch, 'provider.pem');
await writeFile(certificateAuthorityFile, authority.certificate);
const server = await issueServer(authority, ['localhost', '127.0.0.1'], Date.now());
const { publicKey, privateKey } = await generateKeyPair('ES256');
const other = await generateKeyPair('ES256');
const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' };

/** The part of a provider that bearer tokens need: its discovery document and its keys. */
const provider = createServer({ cert: server.certificate, key: server.key }, (request, response) => {
  const documents: Readonly<Record<string, object>> = {
    '/.well-known/openid-configuration': {
      issuer: issuer(),
      jwks_uri: `${issuer()}/jwks`,
      id_token_signing_alg_values_supported: ['ES256'],
    },
    '/jwks': { keys: [jwk] },
  };
  const found = documents[request.url ?? ''];
  response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(found ?? {}));
});
provider.listen(0, '127.0.0.1');
await once(provider, 'listening');
const issuer = (): string => `https://localhost:${(provider.address() as AddressInfo).port}`;
test.after.always(async () => {
  provider.close();
  provider.closeAllConnections();
  await rm(scratch, { recursive: true, force: true });
});

async function bearer(kernel: TestKernel, { audience = 'tappaas', minutes = 10, key = privateKey, from = issuer() } = {}) {
  const nowSeconds = Math.floor(kernel.clock.nowMs() / 1000);
  const token = await new SignJWT({ groups: ['developers'] })
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .setIssuer(from)
    .setSubject('ann')
    .setAudience(audience)
    .setIssuedAt(nowSeconds + Math.min(0, minutes * 60 - 60))
    .setExpirationTime(nowSeconds + minutes * 60)
    .sign(key);
  return { headers: { authorization: `Bearer ${token}` }, remoteAddress: '127.0.0.1' };
}

const identity = () => ({
  plugin: load(
    identityOidc,
    { issuers: [{ name: 'corp', issuer: issuer(), clientId: 'tappaas', certificateAuthorityFile }] },
    {
      id: 'oidc',
    },
  ),
  good: async (kernel: TestKernel) => ({ credentials: await bearer(kernel), caller: { name: 'ann', groups: ['developers'] } }),
  bad: (kernel: TestKernel) =>
    Promise.all([
      bearer(kernel, { audience: 'somebody-else' }),
      bearer(kernel, { minutes: -10 }),
      bearer(kernel, { key: other.privateKey }),
      bearer(kernel, { from: 'https://other.example' }),
    ]),
});
for (const { title, run } of conformance.authenticator(identity)) test(`as an authenticator: ${title}`, (t) => t.notThrowsAsync(run));
for (const { title, run } of conformance.plugin(make)) test(title, (t) => t.notThrowsAsync(run));

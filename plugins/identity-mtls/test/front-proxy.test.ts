import type { ClientCertificate } from '@tappaas/sdk';
import test from 'ava';
import { certificateIdentity } from '../dist/certificate-identity.js';
import type { Settings } from '../dist/settings.js';

const nowMs = 1_000_000;
const clientCertificate: ClientCertificate = {
  subject: { CN: ['proxy'] },
  subjectAltNames: [],
  fingerprint256: 'AA',
  serialNumber: '0A',
  authorities: [{ fingerprint256: 'CA', serialNumber: '01', notAfterMs: 2 * nowMs, certificate: '' }],
  notBeforeMs: 0,
  notAfterMs: 2 * nowMs,
};
const trust = { text: '', authorities: new Map([['CA', '']]) };
const names = { userHeader: 'x-remote-user', groupHeader: 'x-remote-group', tenantHeader: 'x-remote-tenant' };
const settings: Settings = { authorities: '', user: 'CN', groups: 'O', prefix: '', frontProxy: { names: ['proxy'], ...names } };

const authenticate = async (tenants: readonly string[], fixed?: string, sent: Readonly<Record<string, string>> = {}) => {
  const headerValues = { 'x-remote-user': ['ann'], 'x-remote-group': ['devs', 'ops'], 'x-remote-tenant': tenants };
  const credentials = { headers: sent, headerValues, clientCertificate, remoteAddress: '' };
  return (await certificateIdentity(credentials, { ...settings, ...(fixed !== undefined && { tenant: fixed }) }, trust, nowMs))?.caller;
};

test('a front proxy names one tenant, in the form that tenants have', async (t) => {
  t.deepEqual(await authenticate(['acme']), { name: 'ann', groups: ['devs', 'ops'], tenant: 'acme' });
  t.deepEqual(await authenticate([]), { name: 'ann', groups: ['devs', 'ops'] });
  await t.throwsAsync(authenticate(['acme', 'rival']), {
    code: 'TAP_CREDENTIAL_INVALID',
    message: 'header x-remote-tenant was sent more than once',
  });
  for (const tenant of ['=acme', '', 'a,b', 'acme\n', 'a'.repeat(64), ' acme'])
    await t.throwsAsync(
      authenticate([tenant]),
      { code: 'TAP_CREDENTIAL_INVALID', message: /x-remote-tenant: expected the name of a tenant/ },
      tenant,
    );
});

test('a tenant that is configured holds whatever the proxy names, and two of them are refused all the same', async (t) => {
  t.is((await authenticate(['rival'], 'acme'))?.tenant, 'acme');
  await t.throwsAsync(authenticate(['acme', 'rival'], 'acme'), { message: /more than once/ });
});

test('a page of another site has a person’s certificate sent along and gets nothing by it; of its own callers a proxy knows that itself', async (t) => {
  const host = 'paas.example';
  const foreign: readonly Readonly<Record<string, string>>[] = [
    { 'sec-fetch-site': 'cross-site', host },
    { 'sec-fetch-site': 'same-site', host },
    { origin: 'https://evil.example', host },
    { origin: 'null', host },
  ];
  const own: readonly Readonly<Record<string, string>>[] = [
    { host },
    { 'sec-fetch-site': 'same-origin', host, origin: 'https://other.example' },
    { 'sec-fetch-site': 'none', host },
    { origin: `https://${host}`, host },
  ];
  const forUser = (headers: Readonly<Record<string, string>>) =>
    certificateIdentity(
      { headers, clientCertificate, remoteAddress: '' },
      { ...settings, frontProxy: { names: ['other'], ...names } },
      trust,
      nowMs,
    );
  for (const headers of foreign) {
    await t.throwsAsync(forUser(headers), { code: 'TAP_CREDENTIAL_INVALID', message: /a page of another site/ }, JSON.stringify(headers));
    t.is((await authenticate([], undefined, headers))?.name, 'ann');
  }
  for (const headers of own) t.is((await forUser(headers))?.caller.name, 'proxy', JSON.stringify(headers));
});

import type { ClientCertificate } from '@tappaas/sdk';
import test from 'ava';
import { certificateIdentity } from '../dist/certificate-identity.js';
import type { Settings } from '../dist/settings.js';

const nowMs = 1_000_000;
const trust = { text: '', authorities: new Map([['CA', '']]) };

/** The identity for a certificate with this subject and these alternative names. */
async function named(settings: Partial<Settings>, more: Partial<ClientCertificate> = {}) {
  const clientCertificate: ClientCertificate = {
    subject: { CN: ['ann'], O: ['devs', 'ops'], OU: ['berlin'] },
    subjectAltNames: [
      'DNS:ann.example.com',
      'DNS:other.example.com',
      'URI:spiffe://example.com/ann',
      'email:ann@example.com',
      'IP Address:10.0.0.1',
    ],
    fingerprint256: 'AA',
    serialNumber: '0A',
    authorities: [{ fingerprint256: 'CA', serialNumber: '01', notAfterMs: 2 * nowMs, certificate: '' }],
    notBeforeMs: 0,
    notAfterMs: 2 * nowMs,
    ...more,
  };
  const all: Settings = { authorities: '', user: 'CN', groups: 'O', prefix: '', ...settings };
  return (await certificateIdentity({ headers: {}, clientCertificate, remoteAddress: '' }, all, trust, nowMs))?.caller;
}

const rows: readonly (readonly [settings: Partial<Settings>, name: string, groups: readonly string[]])[] = [
  [{}, 'ann', ['devs', 'ops']],
  [{ user: 'CN', groups: 'OU' }, 'ann', ['berlin']],
  [{ user: 'DNS' }, 'ann.example.com', ['devs', 'ops']],
  [{ user: 'URI', groups: 'none' }, 'spiffe://example.com/ann', []],
  [{ user: 'email', groups: 'OU', prefix: 'cert:' }, 'cert:ann@example.com', ['cert:berlin']],
];

for (const [settings, name, groups] of rows)
  test(`a certificate with ${JSON.stringify(settings)} is ${name} in ${groups.join(' and ') || 'no group'}`, async (t) =>
    t.deepEqual(await named(settings), { name, groups }));

test('a certificate without the name that is configured is nobody’s, whatever other names it has', async (t) => {
  for (const user of ['DNS', 'URI', 'email'] as const) {
    const subjectAltNames = ['DNS:a', 'URI:b', 'email:c'].filter((name) => !name.startsWith(`${user}:`));
    await t.throwsAsync(named({ user }, { subjectAltNames }), {
      code: 'TAP_CREDENTIAL_INVALID',
      message: `the client certificate has no alternative name of type ${user}`,
    });
    await t.throwsAsync(named({ user }, { subjectAltNames: [`${user}:`] }), { code: 'TAP_CREDENTIAL_INVALID' });
  }
  await t.throwsAsync(named({}, { subject: { O: ['devs'] } }), { message: 'the client certificate has no subject CN' });
  t.deepEqual(await named({ user: 'DNS' }, { subject: {} }), { name: 'ann.example.com', groups: [] }, 'groups may be absent');
});

test('a certificate with more groups than are looked at is refused: what was left out could forbid something', async (t) => {
  const members = (count: number) => ({ subject: { CN: ['ann'], O: Array.from({ length: count }, (_, index) => `g${index}`) } });
  t.is((await named({}, members(64)))?.groups.length, 64);
  await t.throwsAsync(named({}, members(65)), {
    code: 'TAP_CREDENTIAL_INVALID',
    message: 'the client certificate has 65 times subject O, at most 64 are allowed',
  });
});

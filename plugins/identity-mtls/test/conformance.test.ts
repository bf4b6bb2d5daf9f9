import { X509Certificate } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientCertificate } from '@tappaas/sdk';
import { conformance, load, type TestKernel } from '@tappaas/testing';
import test from 'ava';
import { issueAuthority } from '../../../core/dist/api/certificates/certificate-issuer.js';
import identityMtls from '../dist/index.js';

const scratch = mkdtempSync(join(tmpdir(), 'identity-mtls-'));
const authorities = join(scratch, 'clients.pem');
const authority = await issueAuthority(Date.now());
const { fingerprint256, serialNumber } = new X509Certificate(authority.certificate);
const above = { fingerprint256, serialNumber, notAfterMs: Number.MAX_SAFE_INTEGER, certificate: authority.certificate };
test.before(() => writeFile(authorities, authority.certificate));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

const make = () => load(identityMtls, { authorities }, { id: 'certificates' });
for (const { title, run } of conformance.plugin(make)) test(title, (t) => t.notThrowsAsync(run));

const hourMs = 3_600_000;

function presented(kernel: TestKernel, changed: Partial<ClientCertificate> = {}) {
  const nowMs = kernel.clock.nowMs();
  const clientCertificate: ClientCertificate = {
    subject: { CN: ['ann'], O: ['builders'] },
    subjectAltNames: [],
    fingerprint256: 'AA:BB',
    serialNumber: '0A',
    authorities: [above],
    notBeforeMs: nowMs - hourMs,
    notAfterMs: nowMs + hourMs,
    ...changed,
  };
  return { headers: {}, remoteAddress: '127.0.0.1', clientCertificate };
}

const identity = () => ({
  plugin: load(identityMtls, { authorities, lifetimeHoursMax: 4 }, { id: 'certificates' }),
  good: (kernel: TestKernel) => ({ credentials: presented(kernel), caller: { name: 'ann', groups: ['builders'] } }),
  bad: (kernel: TestKernel) => {
    const nowMs = kernel.clock.nowMs();
    return [
      presented(kernel, { notBeforeMs: nowMs - 2 * hourMs, notAfterMs: nowMs - hourMs }),
      presented(kernel, { notAfterMs: nowMs + 24 * hourMs }),
      presented(kernel, { authorities: [{ ...above, fingerprint256: 'CC:DD' }] }),
      presented(kernel, { authorities: [{ ...above, notAfterMs: nowMs - hourMs }] }),
      presented(kernel, { subject: {} }),
      presented(kernel, { subject: { CN: ['a\u0000b'] } }),
    ];
  },
});
for (const { title, run } of conformance.authenticator(identity)) test(`as an authenticator: ${title}`, (t) => t.notThrowsAsync(run));

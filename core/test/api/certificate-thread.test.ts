import { X509Certificate } from 'node:crypto';
import test from 'ava';
import { CertificateThread } from '../../dist/api/certificates/certificate-thread.js';

const dayMs = 86_400_000;

test('certificates of the thread are signed by the authority that it issued', async (t) => {
  const thread = new CertificateThread();
  thread.keep();
  const nowMs = Date.now();
  const authority = await thread.authority(nowMs);
  const [server, client] = await Promise.all([
    thread.server(authority, ['localhost', '10.0.0.5'], nowMs),
    thread.client(authority, { name: 'node:one', groups: ['nodes'] }, nowMs, dayMs),
  ]);
  const { publicKey, ca } = new X509Certificate(authority.certificate);
  t.true(ca);
  for (const { certificate } of [server, client]) t.true(new X509Certificate(certificate).verify(publicKey));
  t.truthy(new X509Certificate(server.certificate).checkIP('10.0.0.5'));
  t.is(new X509Certificate(client.certificate).subject, 'O=nodes\nCN=node:one');
  thread.release();
});

test('certificates that are asked for after the thread was let go of come from another one', async (t) => {
  const thread = new CertificateThread();
  const first = thread.authority(Date.now());
  thread.release();
  const authority = await first;
  const server = await thread.server(authority, ['localhost'], Date.now());
  t.true(new X509Certificate(server.certificate).verify(new X509Certificate(authority.certificate).publicKey));
});

test('an authority that cannot sign is refused, and the thread goes on', async (t) => {
  const thread = new CertificateThread();
  thread.keep();
  const broken = { certificate: 'no certificate', key: 'no key' };
  await t.throwsAsync(thread.server(broken, ['localhost'], Date.now()), {
    code: 'TAP_CERTIFICATE_UNUSABLE',
    message: /could not be issued/,
  });
  t.true(new X509Certificate((await thread.authority(Date.now())).certificate).ca);
  thread.release();
});

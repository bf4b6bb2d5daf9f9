/** Real handshakes: which TLS is spoken, and which certificate is shown to whom. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type ConnectionOptions, type TLSSocket } from 'node:tls';
import test from 'ava';
import { issueAuthority, issueClient, issueServer } from '../../dist/api/certificates/certificate-issuer.js';
import { certificateCheck, warnOfExpiry } from '../../dist/api/certificates/certificate-expiry.js';
import { TlsFilesCertificate } from '../../dist/api/connection/tls-files.js';
import { tlsPolicy } from '../../dist/api/connection/tls-policy.js';
import { VirtualClock } from '../virtual-clock.ts';
import { quietLog, realClock, startServer } from './running-server.ts';

const dayMs = 86_400_000;

async function folder(t: { teardown(clean: () => Promise<void>): void }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-tls-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function pairs() {
  const nowMs = Date.now();
  const [own, others] = [await issueAuthority(nowMs), await issueAuthority(nowMs)];
  return {
    own,
    others,
    local: await issueServer(own, ['127.0.0.1', 'localhost'], nowMs),
    named: () => issueServer(others, ['api.example.com'], nowMs),
  };
}

/** Shakes hands; answers protocol, cipher and the fingerprint of what was shown, or why not. */
function shake(port: number, options: ConnectionOptions): Promise<{ protocol: string | null; cipher: string; serial: string } | string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', ...options }, () => {
      resolve({
        protocol: socket.getProtocol(),
        cipher: socket.getCipher().standardName,
        serial: socket.getPeerCertificate().fingerprint256,
      });
      socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

test('TLS 1.2 and 1.3 are spoken, older ones and ciphers without forward secrecy are not', async (t) => {
  const { own, local } = await pairs();
  const { port } = await startServer(t, { tls: local });
  const trust = { ca: own.certificate };
  t.like(await shake(port, trust), { protocol: 'TLSv1.3' });
  t.like(await shake(port, { ...trust, maxVersion: 'TLSv1.2' }), { protocol: 'TLSv1.2' });
  t.is(typeof (await shake(port, { ...trust, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })), 'string');
  for (const ciphers of ['AES128-GCM-SHA256', 'AES256-SHA', 'ECDHE-RSA-AES128-SHA256', 'ECDHE-ECDSA-AES128-SHA256']) {
    t.is(typeof (await shake(port, { ...trust, maxVersion: 'TLSv1.2', ciphers })), 'string', ciphers);
  }
});

test('an operator may speak 1.3 only, and only some ciphers', async (t) => {
  const { own, local } = await pairs();
  const { port } = await startServer(t, {
    tls: local,
    tlsPolicy: tlsPolicy({ minVersion: 'TLSv1.3', ciphers: ['TLS_CHACHA20_POLY1305_SHA256'] }),
  });
  t.like(await shake(port, { ca: own.certificate }), { protocol: 'TLSv1.3', cipher: 'TLS_CHACHA20_POLY1305_SHA256' });
  t.is(typeof (await shake(port, { ca: own.certificate, maxVersion: 'TLSv1.2' })), 'string');
});

test('who asks for a name of the operator’s certificate gets it, others the platform’s; replaced files are taken up without a restart', async (t) => {
  const directory = await folder(t);
  const files = { certificate: join(directory, 'tls.crt'), key: join(directory, 'tls.key') };
  const { own, others, local, named } = await pairs();
  const put = async (pair: { readonly certificate: string; readonly key: string }): Promise<void> => {
    for (const [file, text] of [
      [files.key, pair.key],
      [files.certificate, pair.certificate],
    ] as const) {
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
    }
  };
  const first = await named();
  await put(first);
  const clock = new VirtualClock(Date.now());
  const logged: string[] = [];
  const log = { ...quietLog, error: (message: string) => void logged.push(message), info: (message: string) => void logged.push(message) };
  const certificate = await TlsFilesCertificate.open({ files, policy: tlsPolicy(), clock, log });
  const stop = new AbortController();
  const following = certificate.follow(stop.signal);
  const { port } = await startServer(t, { tls: local, contextFor: (servername) => certificate.contextFor(servername) });
  const serialOf = async (options: ConnectionOptions): Promise<string> => {
    const shaken = await shake(port, options);
    return typeof shaken === 'string' ? shaken : shaken.serial;
  };
  const byName = { servername: 'api.example.com', ca: others.certificate };
  const before = await serialOf(byName);
  t.regex(before, /^[0-9A-F:]{95}$/);
  t.regex(await serialOf({ servername: 'localhost', ca: own.certificate }), /^[0-9A-F:]{95}$/);
  t.regex(await serialOf({ ca: own.certificate }), /^[0-9A-F:]{95}$/);

  const held = connect({ port, host: '127.0.0.1', ...byName });
  await new Promise((resolve) => void held.once('secureConnect', resolve));
  const second = await named();
  await put(second);
  await looked(clock, () => logged.includes('the certificate of the API was replaced'));
  const after = await serialOf(byName);
  t.not(after, before);
  t.false(held.destroyed);
  held.destroy();

  await put({ certificate: second.certificate, key: first.key });
  await looked(clock, () => logged.length > 1);
  t.is(await serialOf(byName), after);
  await clock.advance(60_000);
  t.deepEqual(logged, [
    'the certificate of the API was replaced',
    'the replaced certificate of the API cannot be used; the one before stays',
  ]);
  stop.abort();
  await following;
});

test('authorities of clients that change while replaced files are read count for the new certificate, and the previous ones no longer', async (t) => {
  const directory = await folder(t);
  const files = { certificate: join(directory, 'tls.crt'), key: join(directory, 'tls.key') };
  const { own: former, others: present, named } = await pairs();
  const [first, second] = [await named(), await named()];
  for (const what of ['certificate', 'key'] as const) await writeFile(files[what], first[what]);
  const clock = new VirtualClock(Date.now());
  const certificate = await TlsFilesCertificate.open({ files, policy: tlsPolicy(), clock, log: quietLog });
  certificate.trustClients(former.certificate);
  const stop = new AbortController();
  const following = certificate.follow(stop.signal);
  await writeFile(files.certificate, second.certificate);
  // A pipe is opened once both ends are: then the certificate has been read, and the key has not.
  await rm(files.key);
  execFileSync('mkfifo', [files.key]);
  await clock.advance(10_000);
  const key = await open(files.key, 'w');
  certificate.trustClients(present.certificate);
  stop.abort();
  await key.writeFile(second.key);
  await key.close();
  await following;
  const server = createServer({
    SNICallback: (name, answer) => answer(null, certificate.contextFor(name)),
    requestCert: true,
    rejectUnauthorized: false,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  const { port } = server.address() as AddressInfo;
  for (const [authority, isTrusted] of [
    [present, true],
    [former, false],
  ] as const) {
    const pair = await issueClient(authority, { name: 'ann', groups: [] }, Date.now(), dayMs);
    const taken = once(server, 'secureConnection') as Promise<[TLSSocket]>;
    const shown = { cert: pair.certificate, key: pair.key };
    const client = connect({ port, host: '127.0.0.1', servername: 'api.example.com', ca: present.certificate, ...shown });
    const [socket] = await taken;
    t.is(socket.authorized, isTrusted);
    client.destroy();
    socket.destroy();
  }
});

/** Lets time pass until the files were looked at. */
async function looked(clock: VirtualClock, isSo: () => boolean): Promise<void> {
  const endMs = Date.now() + 60_000;
  while (!isSo() && Date.now() < endMs) {
    await clock.advance(10_000);
    await realClock.sleep(10, new AbortController().signal);
  }
}

test('files that are no pair, or not there, are named at the start', async (t) => {
  const directory = await folder(t);
  const files = { certificate: join(directory, 'tls.crt'), key: join(directory, 'tls.key') };
  const open = () => TlsFilesCertificate.open({ files, policy: tlsPolicy(), clock: realClock, log: quietLog });
  await t.throwsAsync(open(), { code: 'TAP_CERTIFICATE_UNUSABLE', message: /api\.tls: the certificate file .*tls\.crt cannot be read/ });
  const { named } = await pairs();
  await writeFile(files.certificate, (await named()).certificate);
  await writeFile(files.key, (await named()).key);
  await t.throwsAsync(open(), { code: 'TAP_CERTIFICATE_UNUSABLE', message: /the key is not that of the certificate/ });
});

test('three weeks before a certificate expires readiness notes it and the log warns, once it has expired the platform is not ready', async (t) => {
  const clock = new VirtualClock();
  const endMs = clock.nowMs() + 30 * dayMs;
  const expiring = { name: 'operator’s', notAfterMs: () => endMs };
  const { ask } = await startServer(t, { ready: () => [certificateCheck(expiring, clock)] });
  const warnings: string[] = [];
  const log = {
    ...quietLog,
    warn: (message: string) => void warnings.push(message),
    error: (message: string) => void warnings.push(message),
  };
  const stop = new AbortController();
  const warning = warnOfExpiry(expiring, clock, log, stop.signal);
  t.regex((await ask('/readyz?verbose', { as: '' })).text, /\[\+\]operator’s certificate ok\n/);
  await clock.advance(10 * dayMs);
  t.regex((await ask('/readyz?verbose', { as: '' })).text, /\[\+\]operator’s certificate ok: expires in 20 days\n/);
  t.is((await ask('/readyz', { as: '' })).text, 'ok');
  t.regex(warnings.at(-1) ?? '', /expires in \d+ days; replace its files/);
  await clock.advance(20 * dayMs);
  t.is((await ask('/readyz', { as: '' })).status, 503);
  t.regex(warnings.at(-1) ?? '', /has expired/);
  stop.abort();
  await warning;
});

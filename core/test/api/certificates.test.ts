import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parse } from 'yaml';
import { keepCertificatesFresh, localCertificates } from '../../dist/api/certificates/certificates.js';
import { writeKubeconfig } from '../../dist/api/kubeconfig.js';
import { VirtualClock } from '../virtual-clock.ts';
import { startServer } from './running-server.ts';

const dayMs = 86_400_000;

function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'tappaas-certificates-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('certificates are made once, and their files belong to their owner alone', async (t) => {
  const directory = join(folder(t), 'tls');
  const options = { directory, hosts: [], clock: new VirtualClock(Date.now()) };
  const first = await localCertificates(options);
  t.deepEqual(await localCertificates(options), first);
  for (const name of readdirSync(directory)) t.is(statSync(join(directory, name)).mode & 0o777, 0o600, name);
  t.is(statSync(directory).mode & 0o777, 0o700);
  const certificate = new X509Certificate(first.tls.certificate);
  t.truthy(certificate.checkHost('localhost'));
  for (const address of ['127.0.0.1', '::1']) t.truthy(certificate.checkIP(address), address);
  t.false(certificate.ca);
  t.true(new X509Certificate(first.authority).ca);
});

test('clients that trust the authority reach the listener, others do not', async (t) => {
  const certificates = await localCertificates({ directory: folder(t), hosts: [], clock: { nowMs: () => Date.now() } });
  const { port } = await startServer(t, { tls: certificates.tls });
  const ask = (ca: string | undefined, host: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      request({ host, port, path: '/livez', agent: false, ...(ca !== undefined && { ca }) }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
  t.is(await ask(certificates.authority, '127.0.0.1'), 200);
  t.is(await ask(certificates.authority, 'localhost'), 200);
  await t.throwsAsync(ask(undefined, '127.0.0.1'), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
});

test('a certificate is made anew a month before it expires, under the same authority', async (t) => {
  const clock = new VirtualClock(Date.now());
  const options = { directory: folder(t), hosts: [], clock };
  const first = await localCertificates(options);
  await clock.freeze(366 * dayMs);
  t.is((await localCertificates(options)).tls.certificate, first.tls.certificate);
  await clock.freeze(2 * dayMs);
  const second = await localCertificates(options);
  t.not(second.tls.certificate, first.tls.certificate);
  t.is(second.authority, first.authority);
  t.true(second.notAfterMs > first.notAfterMs);
});

test('an authority about to expire is replaced together with what it has signed', async (t) => {
  const clock = new VirtualClock(Date.now());
  const options = { directory: folder(t), hosts: [], clock };
  const first = await localCertificates(options);
  await clock.freeze(3600 * dayMs);
  const second = await localCertificates(options);
  t.not(second.authority, first.authority);
  t.true(new X509Certificate(second.tls.certificate).verify(new X509Certificate(second.authority).publicKey));
});

test('a pair of which only the key was written before a crash is made anew, and the platform starts', async (t) => {
  const directory = folder(t);
  const options = { directory, hosts: [], clock: new VirtualClock(Date.now()) };
  const first = await localCertificates(options);
  const foreign = folder(t);
  await localCertificates({ ...options, directory: foreign });
  copyFileSync(join(foreign, 'server.key'), join(directory, 'server.key'));
  const second = await localCertificates(options);
  t.is(second.authority, first.authority);
  t.not(second.tls.certificate, first.tls.certificate);
  t.true(new X509Certificate(second.tls.certificate).checkPrivateKey(createPrivateKey(second.tls.key)));
  copyFileSync(join(foreign, 'ca.key'), join(directory, 'ca.key'));
  const third = await localCertificates(options);
  t.not(third.authority, first.authority);
  t.true(new X509Certificate(third.tls.certificate).verify(new X509Certificate(third.authority).publicKey));
  t.deepEqual(await localCertificates(options), third);
});

test('a host that the certificate does not name gets one that does', async (t) => {
  const options = { directory: folder(t), hosts: [] as string[], clock: new VirtualClock(Date.now()) };
  const first = await localCertificates(options);
  const second = await localCertificates({ ...options, hosts: ['paas.example.com', '10.0.0.5'] });
  t.not(second.tls.certificate, first.tls.certificate);
  t.truthy(new X509Certificate(second.tls.certificate).checkHost('paas.example.com'));
  t.deepEqual(await localCertificates({ ...options, hosts: ['10.0.0.5'] }), second);
});

test('a key that others can read is refused, with what to do', async (t) => {
  const options = { directory: folder(t), hosts: [], clock: new VirtualClock(Date.now()) };
  await localCertificates(options);
  chmodSync(join(options.directory, 'ca.key'), 0o644);
  await t.throwsAsync(localCertificates(options), { code: 'TAP_FILE_EXPOSED', message: /ca\.key is open to others \(mode 644\)/ });
});

test('a damaged certificate is named, not silently replaced', async (t) => {
  const options = { directory: folder(t), hosts: [], clock: new VirtualClock(Date.now()) };
  await localCertificates(options);
  writeFileSync(join(options.directory, 'ca.crt'), 'nonsense');
  await t.throwsAsync(localCertificates(options), { code: 'TAP_CERTIFICATE_UNUSABLE' });
});

test('a platform that runs for a year renews without a restart', async (t) => {
  const clock = new VirtualClock(Date.now());
  const options = { directory: folder(t), hosts: [], clock };
  const first = await localCertificates(options);
  const stop = new AbortController();
  const renewed: string[] = [];
  const kept = keepCertificatesFresh(options, first, {
    renewed: ({ tls }) => void renewed.push(tls.certificate),
    failed: (error) => t.fail(String(error)),
    signal: stop.signal,
  });
  await clock.freeze(370 * dayMs);
  while (renewed.length === 0) await new Promise((resolve) => setImmediate(resolve));
  t.is(renewed.length, 1);
  t.not(renewed[0], first.tls.certificate);
  stop.abort();
  await kept;
});

test('a look that fails is told, ends nothing, and the next one renews', async (t) => {
  const clock = new VirtualClock(Date.now());
  const options = { directory: folder(t), hosts: [], clock };
  const first = await localCertificates(options);
  const key = join(options.directory, 'ca.key');
  chmodSync(key, 0o644);
  const stop = new AbortController();
  const reported: unknown[] = [];
  const renewed: string[] = [];
  let looked = Promise.withResolvers<void>();
  const kept = keepCertificatesFresh(options, first, {
    renewed: ({ tls }) => {
      renewed.push(tls.certificate);
      looked.resolve();
    },
    failed: (error) => {
      reported.push(error);
      looked.resolve();
    },
    signal: stop.signal,
  });
  await clock.freeze(370 * dayMs);
  await Promise.race([looked.promise, kept]);
  t.is(reported.length, 1);
  t.like(reported[0], { code: 'TAP_FILE_EXPOSED' });
  chmodSync(key, 0o600);
  looked = Promise.withResolvers();
  await clock.advance(dayMs / 2);
  await Promise.race([looked.promise, kept]);
  t.is(renewed.length, 1);
  t.not(renewed[0], first.tls.certificate);
  stop.abort();
  await kept;
});

const authority = '-----BEGIN CERTIFICATE-----\n';

test('the kubeconfig has a context for the platform and one for each further engine', async (t) => {
  const path = join(folder(t), 'deep', 'kubeconfig');
  await writeKubeconfig({ path, server: 'https://127.0.0.1:7443', authority, engines: ['local'], token: 'tapp_x' });
  t.is(statSync(path).mode & 0o777, 0o600);
  const config = parse(readFileSync(path, 'utf8'));
  t.deepEqual(
    config.contexts.map(({ name, context }: { name: string; context: object }) => [name, context]),
    [
      ['tappaas', { cluster: 'tappaas', user: 'tappaas', namespace: 'default' }],
      ['local', { cluster: 'tappaas-local', user: 'tappaas', namespace: 'default' }],
    ],
  );
  t.is(config.clusters[1].cluster.server, 'https://127.0.0.1:7443/clusters/local');
  t.is(config['current-context'], 'tappaas');
});

test('writing the kubeconfig again keeps the token, the chosen context and entries of others', async (t) => {
  const path = join(folder(t), 'kubeconfig');
  await writeKubeconfig({ path, server: 'https://127.0.0.1:1', authority, engines: ['local'], token: 'tapp_x' });
  const known = parse(readFileSync(path, 'utf8'));
  known.users.push({ name: 'other', user: { token: 'y' } });
  known.contexts.unshift({ name: 'work', context: { cluster: 'other', user: 'other' } });
  known['current-context'] = 'work';
  writeFileSync(path, JSON.stringify(known), { mode: 0o600 });
  await writeKubeconfig({ path, server: 'https://127.0.0.1:2', authority, engines: ['local'] });
  const config = parse(readFileSync(path, 'utf8'));
  t.is(config['current-context'], 'work');
  t.is(config.users[0].user.token, 'tapp_x');
  t.is(config.users[1].name, 'other');
  t.is(config.contexts.length, 3);
  t.is(config.clusters[0].cluster.server, 'https://127.0.0.1:2');
});

test('a file that is no kubeconfig is left alone', async (t) => {
  const path = join(folder(t), 'kubeconfig');
  for (const text of ['- a', '{a: ', 'text']) {
    writeFileSync(path, text, { mode: 0o600 });
    await t.throwsAsync(writeKubeconfig({ path, server: 'https://127.0.0.1:1', engines: [] }), { code: 'TAP_KUBECONFIG_UNREADABLE' });
    t.is(readFileSync(path, 'utf8'), text);
  }
});

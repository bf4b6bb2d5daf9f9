import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientCertificate } from '@tappaas/sdk';
import test from 'ava';
import { issueClient, type KeyPair } from '../../../core/dist/api/certificates/certificate-issuer.js';
import { makeAuthority, revocationList } from '../../../core/test/api/authorities.ts';
import { certificateIdentity } from '../dist/certificate-identity.js';
import type { Settings } from '../dist/settings.js';
import { readTrust } from '../dist/trust-files.js';

const nowMs = Date.now();
const hourMs = 3_600_000;
const directory = await mkdtemp(join(tmpdir(), 'identity-mtls-lists-'));

const root = await makeAuthority('root');
const middle = await makeAuthority('middle', root);
const joe = await issueClient(middle, { name: 'joe', groups: [] }, nowMs, hourMs);
test.after.always(() => rm(directory, { recursive: true, force: true }));

/** The certificate in the form that the listener passes on, with all verified authorities above it. */
function presented(leaf: KeyPair, above: readonly KeyPair[]): ClientCertificate {
  const { serialNumber, fingerprint256 } = new X509Certificate(leaf.certificate);
  const authorities = above.map(({ certificate }) => {
    const parsed = new X509Certificate(certificate);
    const { fingerprint256: fingerprint, serialNumber: serial, validToDate } = parsed;
    return { fingerprint256: fingerprint, serialNumber: serial, notAfterMs: validToDate.getTime(), certificate };
  });
  const times = { notBeforeMs: nowMs - hourMs, notAfterMs: nowMs + hourMs };
  return { subject: { CN: ['joe'] }, subjectAltNames: [], fingerprint256, serialNumber, authorities, ...times };
}

let files = 0;

/** The identity of joe with this bundle and these revocation lists. */
async function authenticate(bundle: readonly KeyPair[], lists: readonly string[], atMs = nowMs): Promise<string | undefined> {
  files += 1;
  const [authorities, revocations] = [join(directory, `${files}.pem`), join(directory, `${files}.crl`)];
  await writeFile(authorities, bundle.map(({ certificate }) => certificate).join(''));
  await writeFile(revocations, lists.join(''));
  const trust = await readTrust(authorities, revocations);
  const settings: Settings = { authorities, revocations, user: 'CN', groups: 'none', prefix: '' };
  const credentials = { headers: {}, remoteAddress: '', clientCertificate: presented(joe, [middle, root]) };
  return (await certificateIdentity(credentials, settings, trust, atMs))?.caller.name;
}

const ofRoot = (revoked: readonly KeyPair[] = []) => revocationList(root, revoked);
const ofMiddle = (revoked: readonly KeyPair[] = []) => revocationList(middle, revoked);
const refused = (message: RegExp) => ({ code: 'TAP_CREDENTIAL_INVALID', message });

for (const [where, bundle] of [
  ['that the client has sent', [root]],
  ['that stands in the bundle', [root, middle]],
] as const) {
  test(`a certificate below an authority ${where} is let in when nothing on the way is revoked, and refused for each link that is`, async (t) => {
    t.is(await authenticate(bundle, [await ofRoot(), await ofMiddle()]), 'joe');
    await t.throwsAsync(authenticate(bundle, [await ofRoot(), await ofMiddle([joe])]), refused(/^the client certificate was revoked$/));
    await t.throwsAsync(
      authenticate(bundle, [await ofRoot([middle]), await ofMiddle()]),
      refused(/^an authority of the client certificate was revoked$/),
    );
    await t.throwsAsync(
      authenticate(bundle, [await ofRoot([root]), await ofMiddle()]),
      refused(/^the root of the client certificate was revoked$/),
    );
    t.is(await authenticate(bundle, [await ofRoot([joe]), await ofMiddle()]), 'joe', 'a serial number counts with its own authority alone');
  });

  test(`where lists are set, an authority ${where} without one lets nobody in`, async (t) => {
    await t.throwsAsync(
      authenticate(bundle, [await ofRoot()]),
      refused(/no revocation list of authority "CN=middle", which signed the client/),
    );
    await t.throwsAsync(
      authenticate(bundle, [await ofMiddle()]),
      refused(/no revocation list of authority "CN=root", which signed an authority/),
    );
  });
}

test('an authority that is trusted by itself is not asked about above', async (t) => {
  t.is(await authenticate([middle], [await ofMiddle()]), 'joe');
  await t.throwsAsync(authenticate([middle], [await ofMiddle([joe])]), refused(/^the client certificate was revoked$/));
});

test('a list that is out of date refuses at every link', async (t) => {
  const old = nowMs - 1;
  await t.throwsAsync(
    authenticate([root], [await revocationList(root, [], old), await ofMiddle()]),
    refused(/list of authority "CN=root".*out of date/),
  );
  await t.throwsAsync(authenticate([root], [await ofRoot(), await revocationList(middle, [], old)]), refused(/"CN=middle".*out of date/));
});

test('a list that tells a part of what is revoked is none: the file is refused, naming why', async (t) => {
  const later = nowMs + hourMs;
  for (const [type, why] of [
    ['2.5.29.27', /list of CN=middle has only the changes since another list/],
    ['2.5.29.28', /list of CN=middle is about a part of its certificates/],
    ['1.2.3', /list of CN=middle has a critical extension that is not known here \(1\.2\.3\)/],
  ] as const) {
    const part = await revocationList(middle, [], later, [{ type, isCritical: true }]);
    await t.throwsAsync(authenticate([root], [await ofRoot(), await ofMiddle([joe]), part]), {
      code: 'IDENTITY_MTLS_FILE_UNUSABLE',
      message: why,
    });
  }
  const harmless = await revocationList(middle, [], later, [{ type: '1.2.3', isCritical: false }]);
  t.is(await authenticate([root], [await ofRoot(), harmless]), 'joe', 'what is not critical may be passed over');
});

test('a certificate ends with the authorities above it', async (t) => {
  await t.throwsAsync(authenticate([root], [await ofRoot(), await ofMiddle()], nowMs + 25 * hourMs), { code: 'TAP_CREDENTIAL_EXPIRED' });
});

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import type { ClientCertificate } from '@tappaas/sdk';
import test from 'ava';
import { issueAuthority, issueClient, issueServer, type KeyPair } from '../../dist/api/certificates/certificate-issuer.js';
import { alternativeNames, verifiedCertificate } from '../../dist/api/connection/client-certificate.js';
import { imitate, makeAuthority } from './authorities.ts';

test('an alternative name with a comma in it stays one name', (t) => {
  t.deepEqual(alternativeNames('DNS:a.example.com, DNS:b.example.com, IP Address:127.0.0.1, URI:spiffe://a/b'), [
    'DNS:a.example.com',
    'DNS:b.example.com',
    'IP Address:127.0.0.1',
    'URI:spiffe://a/b',
  ]);
  t.deepEqual(alternativeNames('URI:"x, email:admin@example.com", DNS:a'), ['URI:x, email:admin@example.com', 'DNS:a']);
  t.deepEqual(alternativeNames('email:"a\\", DNS:evil"'), ['email:a", DNS:evil']);
  t.deepEqual(alternativeNames(''), []);
});

interface Met {
  readonly isVerified: boolean;
  readonly isResumed: boolean;
  readonly certificate: ClientCertificate | undefined;
}

const hourMs = 3_600_000;

/** A listener that trusts `authorities`, and what it makes of a client that comes with `pair`; each comes in the session of the one before. */
async function listening(t: { teardown(close: () => unknown): void }, authorities: readonly KeyPair[]) {
  const own = await issueAuthority(Date.now());
  const { certificate: cert, key } = await issueServer(own, ['localhost'], Date.now());
  const ca = authorities.map(({ certificate }) => certificate);
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  let session: Buffer | undefined;
  return async (pair: KeyPair): Promise<Met> => {
    const { port } = server.address() as AddressInfo;
    const presented = { cert: pair.certificate, key: pair.key, ...(session && { session }) };
    const socket = connect({ port, servername: 'localhost', ca: own.certificate, ...presented });
    socket.on('session', (given: Buffer) => (session = given)).resume();
    const [met] = (await once(server, 'secureConnection')) as [TLSSocket];
    const seen = { isVerified: met.authorized, isResumed: met.isSessionReused(), certificate: verifiedCertificate(met) };
    met.end('so that the session is given');
    await once(socket, 'close');
    return seen;
  };
}

const serialsOf = ({ certificate }: Met) => certificate?.authorities.map(({ serialNumber }) => serialNumber);

test('what is called like an authority and has not signed the certificate is no link of its chain', async (t) => {
  const root = await makeAuthority('root');
  const middle = await makeAuthority('middle', root);
  const joe = await issueClient(middle, { name: 'joe', groups: [] }, Date.now(), hourMs);
  const come = await listening(t, [root, middle]);
  const honest = await come(joe);
  t.is(honest.certificate?.authorities.length, 2);
  t.deepEqual(
    honest.certificate?.authorities.map(({ certificate }) => certificate),
    [middle.certificate, root.certificate],
  );
  const other = await listening(t, [root, middle]);
  const tricky = await other({ ...joe, certificate: joe.certificate + (await imitate(middle)) });
  t.true(tricky.isVerified, 'the listener has gone by the authority of its own');
  t.deepEqual(serialsOf(tricky), [], 'and node by the name');
});

test('a client that resumes its session is known by the authorities that it sent at first', async (t) => {
  const root = await makeAuthority('root');
  const middle = await makeAuthority('middle', root);
  const joe = await issueClient(middle, { name: 'joe', groups: [] }, Date.now(), hourMs);
  const come = await listening(t, [root]);
  const first = await come({ ...joe, certificate: joe.certificate + middle.certificate });
  const again = await come({ ...joe, certificate: joe.certificate + middle.certificate });
  t.deepEqual([first.isResumed, again.isResumed], [false, true]);
  t.is(first.certificate?.authorities.length, 2);
  t.deepEqual(again.certificate, first.certificate);
});

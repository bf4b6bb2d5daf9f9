import { once } from 'node:events';
import { get } from 'node:https';
import { connect } from 'node:tls';
import type { ClientCertificate } from '@tappaas/sdk';
import test from 'ava';
import { issueAuthority, issueClient, issueServer } from '../../dist/api/certificates/certificate-issuer.js';
import { makeAuthority } from './authorities.ts';
import { startRealServer } from './real-server.ts';

test('a session over which nothing was asked is resumed with the authorities that the client sent', async (t) => {
  const [own, root] = await Promise.all([issueAuthority(Date.now()), makeAuthority('root')]);
  const middle = await makeAuthority('middle', root);
  const joe = await issueClient(middle, { name: 'joe', groups: [] }, Date.now(), 3_600_000);
  const { certificate, key } = await issueServer(own, ['localhost'], Date.now());
  const seen: (ClientCertificate | undefined)[] = [];
  const identity = { caller: { name: 'joe', groups: [] }, credentialId: 'joe' };
  const server = await startRealServer({
    tls: { certificate, key, clientAuthorities: root.certificate },
    api: {
      authenticate: ({ clientCertificate }) => {
        seen.push(clientCertificate);
        return identity;
      },
    },
  });
  t.teardown(() => server.close());
  const presented = { ca: own.certificate, cert: joe.certificate + middle.certificate, key: joe.key, servername: 'localhost' };
  const silent = connect({ port: server.port, ...presented });
  const [session] = (await once(silent, 'session')) as [Uint8Array];
  silent.destroy();
  const requested = get({ host: 'localhost', port: server.port, path: '/api', agent: false, session, ...presented } as object);
  const [answer] = (await once(requested, 'response')) as [{ readonly statusCode: number; resume(): void }];
  answer.resume();
  t.is((requested.socket as unknown as { isSessionReused(): boolean }).isSessionReused(), true);
  t.deepEqual(
    seen[0]?.authorities.map((authority) => authority.certificate),
    [middle.certificate, root.certificate],
  );
});

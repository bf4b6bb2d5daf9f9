import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import test from 'ava';
import { createTokenService } from '../../../dist/identity/tokens/token-service.js';
import { VirtualClock } from '../../virtual-clock.ts';
import { startIssuer } from './issuer-server.ts';

function service() {
  const noKeys = () => Promise.reject(new Error('no key is asked for here'));
  return createTokenService({ keys: noKeys, clock: new VirtualClock(), mayLetSign: async () => undefined });
}

/** Whom a cluster that answers a TokenReview with this status names, when it is asked about these audiences. */
async function reviewed(t: { teardown(close: () => unknown): void }, status: object, audiences?: readonly string[]) {
  const cluster = await startIssuer();
  t.teardown(() => cluster.close());
  cluster.answer = (path) => (path.endsWith('/tokenreviews') ? { status: 201, body: JSON.stringify({ status }) } : undefined);
  const reviewer = { server: cluster.url, certificateAuthority: cluster.authority, token: 'own' };
  return (await service().review('a token', reviewer, audiences))?.username;
}

const known = { authenticated: true, user: { username: 'system:serviceaccount:ci:runner' } };

test('a cluster says whose a token is', async (t) => {
  t.is(await reviewed(t, known), 'system:serviceaccount:ci:runner');
  t.is(await reviewed(t, { ...known, authenticated: false }), undefined);
  t.is(await reviewed(t, { authenticated: true, user: {} }), undefined);
});

test('a cluster that was asked about audiences and names none of them has not said that the token is for one', async (t) => {
  t.is(await reviewed(t, { ...known, audiences: ['other', 'tappaas'] }, ['tappaas']), 'system:serviceaccount:ci:runner');
  for (const audiences of [undefined, [], ['other'], 'tappaas', [['tappaas']]])
    t.is(await reviewed(t, { ...known, audiences }, ['tappaas']), undefined, JSON.stringify(audiences));
});

test('a cluster that does not answer is asked about so many tokens at once, and about more when it has been given up', async (t) => {
  const silent = createServer();
  const sockets: Socket[] = [];
  silent.on('connection', (socket) => sockets.push(socket));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  const server = `https://localhost:${(silent.address() as AddressInfo).port}`;
  const tokens = service();
  const requested = (token: number) => tokens.review(`${token}`, { server, token: 'own' });
  const waiting = Array.from({ length: 100 }, (_, index) => t.throwsAsync(requested(index), { code: 'TAP_ISSUER_UNAVAILABLE' }));
  await t.throwsAsync(requested(100), { code: 'TAP_ISSUER_UNAVAILABLE', message: `${server} is asked about 100 tokens already` });
  silent.on('connection', (socket) => socket.destroy());
  for (const socket of sockets) socket.destroy();
  await Promise.all(waiting);
  await t.throwsAsync(requested(101), { message: /cannot be asked/ });
});

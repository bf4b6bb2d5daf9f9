import test from 'ava';
import { createTokenService } from '../../../dist/identity/tokens/token-service.js';
import { VirtualClock } from '../../virtual-clock.ts';
import { startIssuer } from './issuer-server.ts';

/** Whom a cluster that answers a TokenReview with this status names, when it is asked about these audiences. */
async function reviewed(t: { teardown(close: () => unknown): void }, status: object, audiences?: readonly string[]) {
  const cluster = await startIssuer();
  t.teardown(() => cluster.close());
  cluster.answer = (path) => (path.endsWith('/tokenreviews') ? { status: 201, body: JSON.stringify({ status }) } : undefined);
  const noKeys = () => Promise.reject(new Error('no key is asked for here'));
  const tokens = createTokenService({ keys: noKeys, clock: new VirtualClock(), mayLetSign: async () => undefined });
  const reviewer = { server: cluster.url, certificateAuthority: cluster.authority, token: 'own' };
  return (await tokens.review('a token', reviewer, audiences))?.username;
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

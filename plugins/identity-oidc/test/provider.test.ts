import test from 'ava';
import { startIssuer } from '../../../core/test/identity/tokens/issuer-server.ts';
import { Provider } from '../dist/provider.js';

test('however many begin to log in, a provider is asked once what it is, also while it refuses to say', async (t) => {
  const issuer = await startIssuer();
  t.teardown(() => issuer.close());
  let nowMs = 0;
  const settings = { name: 'corp', issuer: issuer.url, clientId: 'x', allowedAddresses: [] } as unknown as Provider['settings'];
  const provider = new Provider(settings, issuer.authority, () => nowMs);
  t.teardown(() => provider.close());
  const many = () => Promise.allSettled(Array.from({ length: 20 }, () => provider.configuration()));
  issuer.answer = () => ({ status: 503, body: '{}' });
  t.true((await many()).every(({ status }) => status === 'rejected'));
  t.is(issuer.asked.length, 1);
  issuer.answer = undefined;
  t.true((await many()).every(({ status }) => status === 'fulfilled'));
  t.is(issuer.asked.length, 2);
  await many();
  t.is(issuer.asked.length, 2, 'it is believed for a while');
  nowMs += 600_000;
  await many();
  t.is(issuer.asked.length, 3);
});

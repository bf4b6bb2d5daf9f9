import type { Credentials, Identity } from '@tappaas/sdk';
import test from 'ava';
import { createAuthenticatorChain, type ChainedAuthenticator } from '../../dist/identity/authenticator-chain.js';
import { CredentialCache } from '../../dist/identity/credential-cache.js';
import { VirtualClock } from '../virtual-clock.ts';

const joe: Identity = { caller: { name: 'joe', groups: [] }, credentialId: 'token:joe' };
const bearer = (token: string): Credentials => ({ headers: { authorization: `Bearer ${token}` }, remoteAddress: '127.0.0.1' });

/** A plugin's authenticator that answers when it is told to. */
function slow(answer: () => Identity | undefined = () => joe) {
  const requested: Credentials[] = [];
  const waiting: (() => void)[] = [];
  const authenticator: ChainedAuthenticator = {
    name: 'slow',
    authenticate: (credentials) =>
      new Promise((resolve, reject) => {
        requested.push(credentials);
        waiting.push(() => {
          try {
            resolve(answer());
          } catch (error) {
            reject(error);
          }
        });
      }),
  };
  return { authenticator, requested, answer: () => waiting.splice(0).forEach((each) => each()) };
}

test('a credential is verified once in five seconds, and what is remembered is answered synchronously', async (t) => {
  const clock = new VirtualClock();
  const { authenticator, requested, answer } = slow();
  const chain = createAuthenticatorChain([], () => [authenticator], new CredentialCache(clock));
  const first = chain(bearer('x'));
  answer();
  const identity = await first;
  t.is(identity?.caller.name, 'joe');
  t.is(chain(bearer('x')), identity);
  await clock.advance(4999);
  t.is(chain(bearer('x')), identity);
  await clock.advance(1);
  t.true(chain(bearer('x')) instanceof Promise);
  t.is(requested.length, 2);
});

test('requests with one credential wait for one verification, and another credential has its own', async (t) => {
  const { authenticator, requested, answer } = slow();
  const chain = createAuthenticatorChain([], () => [authenticator], new CredentialCache(new VirtualClock()));
  const all = [...Array.from({ length: 100 }, () => chain(bearer('x'))), chain(bearer('y'))];
  answer();
  t.is(new Set(await Promise.all(all.map(async (each) => each))).size, 2);
  t.is(requested.length, 2);
});

test('unknown and refused credentials are verified again', async (t) => {
  let answers: Identity | Error | undefined;
  const requested: string[] = [];
  const authenticate = ({ headers }: Credentials) => {
    requested.push(headers['authorization'] ?? '');
    if (answers instanceof Error) throw answers;
    return answers;
  };
  const chain = createAuthenticatorChain([], () => [{ name: 'a', authenticate }], new CredentialCache(new VirtualClock()));
  t.is(chain(bearer('x')), undefined);
  answers = new Error('bad');
  t.throws(() => chain(bearer('x')), { message: 'bad' });
  answers = joe;
  t.is((await chain(bearer('x')))?.caller.name, 'joe');
  t.is(requested.length, 3);
});

test('nothing is remembered beyond the end of the credential, and an expired identity lets nobody in', async (t) => {
  const clock = new VirtualClock();
  let count = 0;
  const expiresAtMs = clock.nowMs() + 1000;
  const authenticate = () => {
    count += 1;
    return { ...joe, expiresAtMs };
  };
  const chain = createAuthenticatorChain([], () => [{ name: 'a', authenticate }], new CredentialCache(clock));
  t.is((await chain(bearer('x')))?.expiresAtMs, expiresAtMs);
  await clock.advance(999);
  await chain(bearer('x'));
  t.is(count, 1);
  await clock.advance(1);
  t.throws(() => chain(bearer('x')), { code: 'TAP_CREDENTIAL_EXPIRED' });
});

test('a revoked credential is verified anew at once, also when it was being verified', async (t) => {
  const { authenticator, requested, answer } = slow();
  const cache = new CredentialCache(new VirtualClock());
  const chain = createAuthenticatorChain([], () => [authenticator], cache);
  const before = chain(bearer('x'));
  chain.revoke('token:joe');
  const after = chain(bearer('x'));
  t.is(requested.length, 2, 'who asks after the revocation is not told what was found out before');
  answer();
  await Promise.all([before, after]);
  t.false(chain(bearer('x')) instanceof Promise);
  chain.revoke('token:other');
  t.false(chain(bearer('x')) instanceof Promise);
  chain.revoke('token:joe');
  t.true(chain(bearer('x')) instanceof Promise);
  t.is(cache.size, 0);
});

test('when plugins change, nothing that the old ones said is remembered', async (t) => {
  let name = 'old';
  const contributed = () => [{ name, authenticate: () => ({ ...joe, caller: { name, groups: [] } }) }];
  const one = contributed();
  let now = one;
  const chain = createAuthenticatorChain([], () => now, new CredentialCache(new VirtualClock()));
  t.is((await chain(bearer('x')))?.caller.name, 'old');
  name = 'new';
  now = contributed();
  chain.follow();
  t.is((await chain(bearer('x')))?.caller.name, 'new');
});

test('an authenticator sees the headers that it says it reads, and a request without any of them is not its business', async (t) => {
  const seen: Credentials[] = [];
  const authenticate = (credentials: Credentials) => {
    seen.push(credentials);
    return credentials.headers['cookie'] === undefined
      ? undefined
      : { ...joe, caller: { name: credentials.headers['cookie'], groups: [] } };
  };
  const plain: ChainedAuthenticator = {
    name: 'plain',
    authenticate: (credentials) => {
      seen.push(credentials);
      return undefined;
    },
  };
  const others = [plain, { name: 'web', reads: ['cookie'], authenticate }];
  const chain = createAuthenticatorChain([], () => others, new CredentialCache(new VirtualClock()));
  const headers = { cookie: 's=1', authorization: 'Bearer x', 'x-other': '1' };
  t.is((await chain({ headers, remoteAddress: '' }))?.caller.name, 's=1');
  t.deepEqual(
    seen.map((credentials) => credentials.headers),
    [{ authorization: 'Bearer x' }, { cookie: 's=1' }],
  );
  t.is(
    (await chain({ headers: { ...headers, cookie: 's=2' }, remoteAddress: '' }))?.caller.name,
    's=2',
    'another cookie is another credential',
  );
  t.is((await chain({ headers: { ...headers, 'x-other': '2' }, remoteAddress: '' }))?.caller.name, 's=1');
  t.is(seen.length, 4);
  t.is(chain({ headers: { 'x-other': '1' }, remoteAddress: '' }), undefined);
  t.is(seen.length, 4);
});

test('values cannot be moved from one header, certificate or address to another to hit what is remembered', async (t) => {
  const authenticate = ({ headers, headerValues, remoteAddress, clientCertificate }: Credentials) => ({
    ...joe,
    caller: { name: JSON.stringify([headers, headerValues, remoteAddress, clientCertificate?.fingerprint256]), groups: [] },
  });
  const chain = createAuthenticatorChain(
    [],
    () => [{ name: 'a', reads: ['a', 'b'], authenticate }],
    new CredentialCache(new VirtualClock()),
  );
  const clientCertificate = {
    subject: {},
    subjectAltNames: [],
    fingerprint256: 'x',
    serialNumber: '1',
    authorities: [],
    notBeforeMs: 0,
    notAfterMs: 1,
  };
  const different: Credentials[] = [
    { headers: { a: 'x' }, remoteAddress: '' },
    { headers: { b: 'x' }, remoteAddress: '' },
    { headers: { a: '', b: 'x' }, remoteAddress: '' },
    { headers: { a: 'x', b: '' }, remoteAddress: '' },
    { headers: { a: 'x' }, remoteAddress: 'x' },
    { headers: {}, clientCertificate, remoteAddress: '' },
    { headers: { a: '' }, clientCertificate, remoteAddress: '' },
    { headers: { a: 'x, y' }, headerValues: { a: ['x, y'] }, clientCertificate, remoteAddress: '' },
    { headers: { a: 'x, y' }, headerValues: { a: ['x', 'y'] }, clientCertificate, remoteAddress: '' },
  ];
  const names = await Promise.all(different.map(async (credentials) => (await chain(credentials))?.caller.name));
  t.is(new Set(names).size, different.length);
});

test('cached credentials and verifications in progress are bounded', async (t) => {
  const cache = new CredentialCache(new VirtualClock(), { entriesMax: 10, flightsMax: 3 });
  for (let index = 0; index < 50; index += 1) void cache.ask(`k${index}`, () => ({ ...joe, credentialId: `c${index}` }));
  t.is(cache.size, 10);
  const never = new Promise<Identity>(() => {});
  for (let index = 0; index < 3; index += 1) void cache.ask(`slow${index}`, () => never);
  t.throws(() => cache.ask('one more', () => never), { code: 'TAP_CREDENTIAL_BUSY' });
  t.is<unknown, unknown>(
    await cache.ask('k49', () => undefined),
    cache.ask('k49', () => undefined),
    'what is remembered is still answered',
  );
});

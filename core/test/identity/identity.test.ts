import { X509Certificate } from 'node:crypto';
import { credentialErrors, jwtEndMs, jwtSkewMs, type TapError } from '@tappaas/sdk';
import { isToken, tokenId } from '@tappaas/sdk/bearer-token';
import test from 'ava';
import { issueAuthority, issueClient } from '../../dist/api/certificates/certificate-issuer.js';
import { ensureAdminToken, replaceAdminToken } from '../../dist/identity/admin-token.js';
import { createAuthenticatorChain } from '../../dist/identity/authenticator-chain.js';
import { CredentialCache } from '../../dist/identity/credential-cache.js';
import { createProcessCertificates } from '../../dist/identity/process-certificates.js';
import { createTokenOf, type StoredToken } from '../../dist/identity/stored-token.js';
import { createTokenAuthenticator } from '../../dist/identity/token-authenticator.js';
import { createIdentityReviews } from '../../dist/identity/identity-reviews.js';
import { VirtualClock } from '../virtual-clock.ts';

const clock = new VirtualClock();
type ChainParts = Parameters<typeof createAuthenticatorChain>;
const chainOf = (own: ChainParts[0], contributed: ChainParts[1]) => createAuthenticatorChain(own, contributed, new CredentialCache(clock));
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` }, remoteAddress: '127.0.0.1' });

function record() {
  const kept: StoredToken[] = [];
  const held: string[] = [];
  return {
    kept,
    held,
    holder: { keep: async (token: string) => void held.push(token), drop: async () => void held.pop() },
    load: async () => kept[0],
    create: async (stored: StoredToken) => {
      if (kept.length > 0) return false;
      kept.push(stored);
      return true;
    },
    save: async (stored: StoredToken) => void kept.splice(0, 1, stored),
  };
}

test('the first start makes one token, later starts find its hash only', async (t) => {
  const store = record();
  const first = await ensureAdminToken(store, store.holder, clock);
  t.regex(first.token ?? '', /^tapp_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
  t.false(JSON.stringify(store.kept).includes((first.token ?? '').slice(-43)));
  t.deepEqual(await ensureAdminToken(store, store.holder, clock), { stored: first.stored });
  t.true(isToken(first.token ?? '', first.stored));
  t.deepEqual(store.held, [first.token]);
});

test('of two replicas that start at once one makes the token, and both know it', async (t) => {
  const store = record();
  const [one, two] = await Promise.all([ensureAdminToken(store, store.holder, clock), ensureAdminToken(store, store.holder, clock)]);
  t.is([one, two].filter(({ token }) => token !== undefined).length, 1);
  t.deepEqual(one.stored, two.stored);
  t.is(store.held.length, 1);
});

test('a token that cannot be replaced stays the one that is good, and that the holder has', async (t) => {
  const store = record();
  const first = await ensureAdminToken(store, store.holder, clock);
  const failing = { save: () => Promise.reject(new Error('no space left')) };
  await t.throwsAsync(replaceAdminToken(failing, store.holder, clock), { message: 'no space left' });
  t.deepEqual([store.kept, store.held], [[first.stored], [first.token]]);
  const full = { ...store.holder, keep: () => Promise.reject(new Error('no space left')) };
  await t.throwsAsync(replaceAdminToken(store, full, clock), { message: 'no space left' });
  t.deepEqual([store.kept, store.held], [[first.stored], [first.token]]);
  const next = await replaceAdminToken(store, store.holder, clock);
  t.deepEqual(store.kept, [next.stored]);
  t.true(isToken(next.token, next.stored));
});

test('when the token cannot be kept no hash of it is stored, so the next start makes another', async (t) => {
  const store = record();
  const full = { ...store.holder, keep: () => Promise.reject(new Error('no space left')) };
  await t.throwsAsync(ensureAdminToken(store, full, clock), { message: 'no space left' });
  t.deepEqual(store.kept, []);
  t.truthy((await ensureAdminToken(store, store.holder, clock)).token);
});

test('when the hash cannot be stored the holder has a token already, and the next start gives it the one that counts', async (t) => {
  const store = record();
  const failing = { ...store, create: () => Promise.reject(new Error('the disk failed')) };
  await t.throwsAsync(ensureAdminToken(failing, store.holder, clock), { message: 'the disk failed' });
  const next = await ensureAdminToken(store, store.holder, clock);
  t.is(store.held.at(-1), next.token);
  t.true(isToken(next.token ?? '', store.kept[0] ?? next.stored));
});

test('a token is known by its id and refused when one character differs', async (t) => {
  const { token, stored } = createTokenOf({ name: 'joe', groups: ['devs'], createdAtMs: 0 });
  const chain = chainOf([createTokenAuthenticator((id) => (id === stored.id ? stored : undefined), clock)], () => []);
  const identity = await chain(bearer(token));
  const credentialId = `token:${stored.id}`;
  t.deepEqual(identity, {
    caller: { name: 'joe', groups: ['devs', 'system:authenticated'], credential: { id: credentialId } },
    credentialId,
  });
  for (let index = 'tapp_'.length + 13; index < token.length; index += 1) {
    const other = token.slice(0, index) + (token[index] === 'A' ? 'B' : 'A') + token.slice(index + 1);
    await t.throwsAsync(async () => chain(bearer(other)), { code: 'TAP_CREDENTIAL_INVALID' });
  }
});

test('a token that the platform did not issue has no identity', async (t) => {
  const chain = chainOf([createTokenAuthenticator(() => undefined, clock)], () => []);
  const { token } = createTokenOf({ name: 'x', groups: [], createdAtMs: 0 });
  for (const authorization of [
    '',
    'Bearer',
    'Bearer ',
    `Basic ${token}`,
    'Bearer tapp_x',
    `Bearer ${token} ${token}`,
    `Bearer x${token}`,
    `Bearer ${token}`,
  ]) {
    t.is(await chain({ headers: { authorization }, remoteAddress: '' }), undefined, authorization);
  }
  t.is(tokenId('tapp_zz'), undefined);
});

test('an expired token is refused and says so', async (t) => {
  const { token, stored } = createTokenOf({ name: 'joe', groups: [], createdAtMs: 0, expiresAtMs: clock.nowMs() + 1000 });
  const chain = chainOf([createTokenAuthenticator(() => stored, clock)], () => []);
  t.is((await chain(bearer(token)))?.expiresAtMs, clock.nowMs() + 1000);
  await clock.advance(1000);
  await t.throwsAsync(async () => chain(bearer(token)), { code: 'TAP_CREDENTIAL_EXPIRED' });
});

test('authenticators are asked in order, and one that throws ends the matter', async (t) => {
  const requested: string[] = [];
  const named = (name: string, answer: () => { caller: { name: string; groups: string[] }; credentialId: string } | undefined) => ({
    name,
    authenticate: () => {
      requested.push(name);
      return answer();
    },
  });
  const nobody = named('a', () => undefined);
  const bad = named('b', () => {
    throw new Error('bad');
  });
  const joe = named('c', () => ({ caller: { name: 'joe', groups: [] }, credentialId: 'c' }));
  t.is((await chainOf([], () => [nobody, joe])(bearer('x')))?.caller.name, 'joe');
  await t.throwsAsync(async () => chainOf([], () => [nobody, bad, joe])(bearer('x')), { message: 'bad' });
  t.deepEqual(requested, ['a', 'c', 'a', 'b']);
});

test('an authenticator of a plugin cannot make anybody an administrator', async (t) => {
  const claims = () => ({
    caller: { name: 'joe', groups: ['system:masters', 'devs', 'system:engine:local'], tenant: 't' },
    credentialId: 'x',
  });
  const identity = await chainOf([], () => [{ name: 'oidc', authenticate: claims }])(bearer('x'));
  t.deepEqual(identity?.caller, { name: 'joe', groups: ['devs', 'system:authenticated'], tenant: 't', credential: { id: 'x' } });
});

test('a credential with more groups than a caller may have is refused: what was left out could forbid something', async (t) => {
  const groups = (count: number) => Array.from({ length: count }, (_, index) => `g${index}`);
  const as = (count: number) =>
    chainOf([], () => [{ name: 'oidc', authenticate: () => ({ caller: { name: 'joe', groups: groups(count) }, credentialId: 'x' }) }])(
      bearer(`${count}`),
    );
  t.is((await as(256))?.caller.groups.length, 257);
  await t.throwsAsync(async () => as(257), {
    code: 'TAP_CREDENTIAL_INVALID',
    message: /^the credential names 257 groups, and a caller has at most 256: let oidc, or who/,
  });
});

test('a caller is told with its credential as the platform knows it, whatever an authenticator says of it', async (t) => {
  const claims = {
    caller: { name: 'joe', groups: [], credential: { id: 'apitoken:of:another' } },
    credentialId: 'x',
    expiresAtMs: 4_000_000_000_000,
  };
  const identity = await chainOf([], () => [{ name: 'oidc', authenticate: () => claims }])(bearer('x'));
  t.deepEqual(identity?.caller.credential, { id: 'x', expiresAtMs: 4_000_000_000_000 });
});

test('names with characters that cannot be printed are nobody’s, and the message shows them escaped', async (t) => {
  const as = (name: string, ...groups: string[]) =>
    chainOf([], () => [{ name: 'oidc', authenticate: () => ({ caller: { name, groups }, credentialId: 'x' }) }])(bearer(name));
  for (const name of ['a\nb', 'a\0', 'a\u202eb', 'a\u200bb', 'a\ud800', 'a\u2028b', 'a\ue000']) {
    const error = await t.throwsAsync(async () => as(name), { code: 'TAP_CREDENTIAL_INVALID' }, JSON.stringify(name));
    t.regex(error?.message ?? '', /^the credential names a user with characters that cannot be printed: "a\\u\{[0-9a-f]+\}b?"$/);
    await t.throwsAsync(async () => as('ann', 'devs', name), { message: /names a group with/ });
  }
  for (const name of ['Jürgen Müller', '山田', 'ann@example.com', 'https://issuer/#ann', '\u{1f600}'])
    t.is((await as(name, name))?.caller.name, name);
});

test('a token that is let in for the difference of clocks is not over before that', async (t) => {
  const time = new VirtualClock();
  const claims = { iss: 'i', aud: 'a', exp: Math.floor(time.nowMs() / 1000) };
  const identity = { caller: { name: 'ann', groups: [] }, credentialId: 'x', expiresAtMs: jwtEndMs(claims) };
  const chain = createAuthenticatorChain([], () => [{ name: 'oidc', authenticate: () => identity }], new CredentialCache(time));
  await time.advance(30_000);
  t.is((await chain(bearer('x')))?.caller.name, 'ann');
  await time.advance(jwtSkewMs);
  await t.throwsAsync(async () => chain(bearer('x')), { code: 'TAP_CREDENTIAL_EXPIRED' });
});

test('a process of an engine is known by its certificate, in that engine alone, and gets another before it ends', async (t) => {
  const time = new VirtualClock();
  const authority = await issueAuthority(time.nowMs());
  const signed: string[] = [];
  const processes = createProcessCertificates({
    clock: time,
    sign: async (user, lifetimeMs) => {
      signed.push(user.name);
      return issueClient(authority, user, time.nowMs(), lifetimeMs);
    },
  });
  const agent = { name: 'system:node:a', groups: ['system:nodes', 'system:masters'] };
  const first = await processes.issue('local', agent);
  t.is(await processes.issue('local', agent), first);
  t.not(await processes.issue('other', agent), first);
  await time.advance(12 * 3_600_000);
  t.not(await processes.issue('local', agent), first);
  t.is(signed.length, 3);

  const { serialNumber, validTo, fingerprint256 } = new X509Certificate(first.certificate);
  const subject = { CN: ['system:node:a'], O: ['system:nodes', 'system:engine:local'] };
  t.is(new X509Certificate(first.certificate).subject, 'O=system:nodes\nO=system:engine:local\nCN=system:node:a', 'never an administrator');
  const above = (fingerprint: string) => ({ fingerprint256: fingerprint, serialNumber: '01', notAfterMs: 0, certificate: '' });
  const authorities = [above(new X509Certificate(authority.certificate).fingerprint256)];
  const clientCertificate = {
    subject,
    subjectAltNames: [],
    fingerprint256,
    serialNumber,
    authorities,
    notBeforeMs: 0,
    notAfterMs: Date.parse(validTo),
  };
  const ask = (certificate: object) =>
    processes.authenticate({ headers: {}, remoteAddress: '', clientCertificate: { ...clientCertificate, ...certificate } });
  t.is(await ask({}), undefined, 'before it is known which authority is ours');
  processes.trust(authority.certificate);
  t.like(await ask({}), { caller: { name: 'system:node:a', groups: ['system:nodes', 'system:engine:local'] } });
  t.is(await ask({ authorities: [above('other'), ...authorities] }), undefined, 'one that our authority has not issued itself');
  t.is(await ask({ authorities: [] }), undefined);
  t.throws(() => ask({ notAfterMs: time.nowMs() }), { code: 'TAP_CREDENTIAL_EXPIRED' });
  for (let index = 1; index < 1000; index += 1) void processes.issue('local', { name: `n${index}`, groups: [] }).catch(() => {});
  const more = () => processes.issue('local', { name: 'more', groups: [] });
  await t.throwsAsync(async () => more(), {
    code: 'TAP_CREDENTIAL_TOO_MANY',
    message: 'engine "local": 1000 users of engines have certificates, and the next place is free in 720 minutes',
  });
  await time.advance(12 * 3_600_000);
  t.regex((await more()).certificate, /BEGIN CERTIFICATE/, 'users that have not come again make room');
});

test('a token review says whose token it is and never repeats the token', async (t) => {
  const { token, stored } = createTokenOf({ name: 'joe', groups: ['devs'], createdAtMs: 0 });
  const { tokenReview: review } = createIdentityReviews(
    chainOf([createTokenAuthenticator(() => stored, clock)], () => []),
    { warn: (message) => t.fail(message) },
  );
  const known = await review({ spec: { token } });
  t.deepEqual(known['status'], { authenticated: true, user: { username: 'joe', groups: ['devs', 'system:authenticated'] } });
  t.false(JSON.stringify(known).includes(token));
  t.deepEqual((await review({ spec: { token: 'x' } }))['status'], { authenticated: false });
  t.like((await review({ spec: { token: `${token.slice(0, -2)}xx` } }))['status'], {
    authenticated: false,
    error: 'the token is not valid',
  });
});

test('that it could not be found out whose a token is, is told without what is inside, and is kept for the log', async (t) => {
  const message = 'https://10.1.2.3:6443/apis/authentication.k8s.io/v1/tokenreviews cannot be asked: ECONNREFUSED';
  const down = { name: 'sa', authenticate: () => Promise.reject(credentialErrors.TAP_ISSUER_UNAVAILABLE({ message, retryAfterMs: 1000 })) };
  const bad = {
    name: 'x',
    authenticate: () => Promise.reject(credentialErrors.TAP_CREDENTIAL_EXPIRED({ message: 'it was good until then' })),
  };
  const refused = await t.throwsAsync(async () => chainOf([], () => [down])(bearer('x')), { code: 'TAP_ISSUER_UNAVAILABLE' });
  t.notRegex(refused.message, /10\.1\.2\.3|https/);
  t.like(refused, { retryAfterMs: 1000, cause: { message } });
  const logged: unknown[] = [];
  const log = { warn: (_: string, fields?: object) => void logged.push(fields) };
  const { tokenReview } = createIdentityReviews(
    chainOf([], () => [down]),
    log,
  );
  const { status } = await tokenReview({ spec: { token: 'x' } });
  t.like(status, { authenticated: false, error: refused.message });
  t.like(logged, [{ code: 'TAP_ISSUER_UNAVAILABLE', cause: { message } }]);
  const own = createIdentityReviews(
    chainOf([], () => [bad]),
    log,
  );
  t.like((await own.tokenReview({ spec: { token: 'x' } }))['status'], { error: 'it was good until then' });
  const broken = createIdentityReviews(() => Promise.reject(new Error(message)), log);
  t.notRegex(JSON.stringify(await broken.tokenReview({ spec: { token: 'x' } })), /10\.1\.2\.3/);
  t.is(logged.length, 2);
});

test('a self review returns the caller with tenant and scope', async (t) => {
  const { selfSubjectReview } = createIdentityReviews(() => undefined, { warn: (message) => t.fail(message) });
  const caller = { name: 'joe', groups: ['devs'], tenant: 'acme', scope: { namespaces: ['shop'], verbs: ['get', 'list'] } };
  t.deepEqual((await selfSubjectReview({ kind: 'SelfSubjectReview' }, { caller }))['status'], {
    userInfo: {
      username: 'joe',
      groups: ['devs'],
      extra: {
        'tappaas.dev/tenant': ['acme'],
        'tappaas.dev/scope-namespaces': ['shop'],
        'tappaas.dev/scope-verbs': ['get', 'list'],
      },
    },
  });
});

test('a plugin names service accounts where it has declared it, and nobody else of the platform', async (t) => {
  const reserved = { users: ['system:*'], groups: ['system:*'] };
  const as = (name: string, groups: string[], declared = {}) => {
    const authenticate = () => ({ caller: { name, groups }, credentialId: 'x' });
    return async () => chainOf([], () => [{ name: 'sa', reserved: declared, authenticate }])(bearer('x'));
  };
  const robot = 'system:serviceaccount:shop:web';
  const groups = ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:masters', 'system:nodes', 'system:engine:local', 'devs'];
  const allowed = ['system:serviceaccounts', 'system:serviceaccounts:shop', 'devs', 'system:authenticated'];
  t.deepEqual((await as(robot, groups, reserved)())?.caller, { name: robot, groups: allowed, credential: { id: 'x' } });
  t.deepEqual((await as('joe', groups)())?.caller.groups, ['devs', 'system:authenticated']);
  const other = { users: ['system:serviceaccount:other:*'] };
  for (const [name, declared] of [
    [robot, {}],
    [robot, other],
    ['system:tappaas', reserved],
    ['system:serviceaccount:a', reserved],
    ['system:serviceaccount:a:b:c', reserved],
    ['system:node:a', reserved],
  ] as const) {
    const error = await t.throwsAsync<TapError>(as(name, [], declared), { code: 'TAP_IDENTITY_RESERVED' }, name);
    t.like(error?.spec, { httpStatus: 401, blame: 'caller' }, 'it is the credential that is refused, and no failure of the plugin');
  }
});

test('nobody but the first administrator is called as they are, so that the audit log tells them apart', async (t) => {
  const as = (name: string, reserved = {}) => {
    const authenticate = () => ({ caller: { name, groups: [] }, credentialId: name });
    return async () => chainOf([], () => [{ name: 'certificates', reserved, authenticate }])(bearer('x'));
  };
  await t.throwsAsync(as('admin'), { code: 'TAP_CREDENTIAL_INVALID', message: /first administrator.*let certificates put a prefix/ });
  t.is(
    (await as('admin', { users: ['admin'] })())?.caller.name,
    'admin',
    'who makes tokens of the administrator’s says so in its manifest',
  );
  t.is((await as('corp:admin')())?.caller.name, 'corp:admin');
});

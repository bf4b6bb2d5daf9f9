import { createHmac, createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { JwtRules } from '@tappaas/sdk';
import test from 'ava';
import { importJWK, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { SigningKeys } from '../../../dist/identity/tokens/signing-keys.js';
import { createTokenService } from '../../../dist/identity/tokens/token-service.js';
import { VirtualClock } from '../../virtual-clock.ts';
import { signingKey, startIssuer, type IssuerServer } from './issuer-server.ts';

const invalid = { code: 'TAP_CREDENTIAL_INVALID', message: 'the token is not valid' };
const expired = { code: 'TAP_CREDENTIAL_EXPIRED' };

async function world(t: { teardown(close: () => Promise<void>): void }) {
  const issuer = await startIssuer();
  t.teardown(() => issuer.close());
  const clock = new VirtualClock(Date.now());
  const noKeys = () => Promise.reject(new Error('the platform’s own keys are not asked for here'));
  const tokens = createTokenService({ keys: noKeys, clock, mayLetSign: async () => undefined });
  const nowSeconds = () => Math.floor(clock.nowMs() / 1000);
  const claims = (extra: JWTPayload = {}): JWTPayload => ({
    iss: issuer.url,
    aud: 'tappaas',
    sub: 'joe',
    exp: nowSeconds() + 600,
    ...extra,
  });
  const rules = (extra: Partial<JwtRules['issuer']> = {}): JwtRules => ({
    audiences: ['tappaas'],
    issuer: { issuer: issuer.url, certificateAuthority: issuer.authority, ...extra },
  });
  return { issuer, clock, tokens, nowSeconds, claims, rules, verify: (token: string, extra = {}) => tokens.verify(token, rules(extra)) };
}

test('a token that the issuer signed is verified with the keys that discovery leads to, asked for once', async (t) => {
  const { issuer, claims, verify } = await world(t);
  const key = await issuer.makeKey('k1');
  t.like(await verify(await key.sign(claims({ groups: ['devs'] }))), { sub: 'joe', groups: ['devs'] });
  await verify(await key.sign(claims()));
  t.deepEqual(issuer.requestedPaths, ['/.well-known/openid-configuration', '/keys']);
});

test('a token without exp is refused', async (t) => {
  const { issuer, claims, verify } = await world(t);
  const key = await issuer.makeKey('k1');
  const { exp: _, ...eternal } = claims();
  await t.throwsAsync(verify(await key.sign(eternal)), invalid);
  await t.throwsAsync(verify(await key.sign({ ...eternal, exp: 'never' as never })), invalid);
});

test('HS256 with the bytes of a public RSA key as its secret is refused', async (t) => {
  const { issuer, claims, verify } = await world(t);
  const key = await issuer.makeKey('k1', 'RS256');
  const pem = createPublicKey({ key: key.publicJwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  for (const secret of [pem, pem.trim(), JSON.stringify(key.publicJwk), Buffer.from(key.publicJwk.n ?? '', 'base64url')]) {
    const signed = `${part({ alg: 'HS256', kid: 'k1', typ: 'JWT' })}.${part(claims())}`;
    await t.throwsAsync(verify(`${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`), invalid);
  }
});

test('a symmetric key in a published set signs nothing, even where its algorithm is asked for', async (t) => {
  const { issuer, claims, verify } = await world(t);
  const k = Buffer.alloc(32, 7).toString('base64url');
  issuer.keys.push({ kty: 'oct', k, kid: 'shared', alg: 'HS256', use: 'sig' });
  const token = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'shared' }).sign(Buffer.alloc(32, 7));
  await t.throwsAsync(verify(token), invalid);
  await t.throwsAsync(verify(token, { algorithms: ['HS256'] as never }), invalid);
});

test('a token of algorithm none, or of one that is not named, is refused', async (t) => {
  const { issuer, claims, verify } = await world(t);
  await issuer.makeKey('k1');
  await t.throwsAsync(verify(new UnsecuredJWT(claims()).encode()), invalid);
  const other = await issuer.makeKey('k2', 'ES384');
  await t.throwsAsync(verify(await other.sign(claims())), invalid);
  t.like(await verify(await other.sign(claims()), { algorithms: ['ES384'] }), { sub: 'joe' });
});

test('keys that the header brings or points to count for nothing', async (t) => {
  const { issuer, claims, verify } = await world(t);
  await issuer.makeKey('k1');
  const mine = await signingKey('k1', 'ES256');
  const evil = await startIssuer();
  t.teardown(() => evil.close());
  evil.keys.push(mine.publicJwk);
  for (const header of [{ jwk: mine.publicJwk }, { jku: `${evil.url}/keys` }, { x5u: `${evil.url}/keys` }, { kid: '../../k1' }]) {
    await t.throwsAsync(verify(await mine.sign(claims(), header)), invalid);
  }
  t.deepEqual(evil.requestedPaths, []);
});

test('a key for encryption, and a key of another algorithm than its own, verify nothing', async (t) => {
  const { issuer, claims, verify } = await world(t);
  const key = await signingKey('k1', 'ES256');
  issuer.keys.push({ ...key.publicJwk, use: 'enc' });
  await t.throwsAsync(verify(await key.sign(claims())), invalid);
});

test('issuer and audience must fit to the letter', async (t) => {
  const { issuer, claims, verify, tokens, rules } = await world(t);
  const key = await issuer.makeKey('k1');
  for (const extra of [
    { iss: `${issuer.url}/` },
    { iss: issuer.url.toUpperCase() },
    { aud: 'other' },
    { aud: ['tappaas2', 'Tappaas'] },
    { aud: [] },
  ]) {
    await t.throwsAsync(verify(await key.sign(claims(extra))), invalid, JSON.stringify(extra));
  }
  const { iss: _, ...anonymous } = claims();
  await t.throwsAsync(verify(await key.sign(anonymous)), invalid);
  const { aud: __, ...forAnybody } = claims();
  await t.throwsAsync(verify(await key.sign(forAnybody)), invalid);
  t.like(await verify(await key.sign(claims({ aud: ['x', 'tappaas'] }))), { sub: 'joe' });
  await t.throwsAsync(tokens.verify(await key.sign(claims()), { ...rules(), audiences: [] }), invalid);
});

test('clocks may differ by a minute, both ways', async (t) => {
  const { issuer, claims, verify, nowSeconds } = await world(t);
  const key = await issuer.makeKey('k1');
  t.like(await verify(await key.sign(claims({ exp: nowSeconds() - 59 }))), { sub: 'joe' });
  await t.throwsAsync(verify(await key.sign(claims({ exp: nowSeconds() - 61 }))), expired);
  t.like(await verify(await key.sign(claims({ nbf: nowSeconds() + 59 }))), { sub: 'joe' });
  await t.throwsAsync(verify(await key.sign(claims({ nbf: nowSeconds() + 62 }))), invalid);
});

test('a changed token is refused, whichever part was changed', async (t) => {
  const { issuer, claims, verify } = await world(t);
  const key = await issuer.makeKey('k1');
  const token = await key.sign(claims());
  const [header = '', payload = '', signature = ''] = token.split('.');
  const admin = Buffer.from(JSON.stringify(claims({ sub: 'admin' }))).toString('base64url');
  for (const wrong of [
    `${header}.${admin}.${signature}`,
    `${header}.${payload}.`,
    `${header}.${payload}`,
    `${header}.${payload}.${signature}.${signature}`,
    `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
    `${header}.${payload}.${signature.slice(0, -4)}`,
    `${header}..${signature}`,
    'x.y.z',
    '',
    `${'a'.repeat(20_000)}.b.c`,
  ]) {
    await t.throwsAsync(verify(wrong), invalid, wrong.slice(0, 100));
  }
});

test('what the token says of critical extensions that nobody knows refuses it', async (t) => {
  const { issuer, claims, verify } = await world(t);
  const key = await issuer.makeKey('k1');
  const [, payload = '', signature = ''] = (await key.sign(claims())).split('.');
  const header = Buffer.from(JSON.stringify({ alg: 'ES256', kid: 'k1', crit: ['exp2'], exp2: 1 })).toString('base64url');
  await t.throwsAsync(verify(`${header}.${payload}.${signature}`), invalid);
});

test('a key that the issuer has made since is found, and unknown ones make nobody ask more than twice a minute', async (t) => {
  const { issuer, claims, verify, clock } = await world(t);
  const first = await issuer.makeKey('k1');
  await verify(await first.sign(claims()));
  await clock.advance(30_000);
  const second = await issuer.makeKey('k2');
  t.like(await verify(await second.sign(claims())), { sub: 'joe' });
  const keyRequests = () => issuer.requestedPaths.filter((path) => path === '/keys').length;
  t.is(keyRequests(), 2);
  const unknown = await signingKey('k3', 'ES256');
  for (let count = 0; count < 20; count += 1) await t.throwsAsync(verify(await unknown.sign(claims(), { kid: `k${count + 3}` })), invalid);
  t.is(keyRequests(), 2, 'the cool-down holds');
  await clock.advance(30_000);
  await t.throwsAsync(verify(await unknown.sign(claims())), invalid);
  t.is(keyRequests(), 3);
});

test('a key that was withdrawn is no longer good after ten minutes', async (t) => {
  const { issuer, claims, verify, clock } = await world(t);
  const key = await issuer.makeKey('k1');
  await verify(await key.sign(claims()));
  issuer.keys.length = 0;
  await clock.advance(600_000);
  await t.throwsAsync(verify(await key.sign(claims({ exp: Math.floor(clock.nowMs() / 1000) + 600 }))), invalid);
});

test('an issuer that does not answer is no reason to refuse a token of a key that is known, for a day', async (t) => {
  const { issuer, claims, verify, clock } = await world(t);
  const key = await issuer.makeKey('k1');
  const exp = Math.floor(clock.nowMs() / 1000) + 400_000;
  await verify(await key.sign(claims({ exp })));
  issuer.answer = () => ({ status: 503, body: 'down' });
  await clock.advance(3_600_000);
  t.like(await verify(await key.sign(claims({ exp }))), { sub: 'joe' });
  await clock.advance(24 * 3_600_000);
  await t.throwsAsync(verify(await key.sign(claims({ exp }))), { code: 'TAP_ISSUER_UNAVAILABLE' });
});

test('an issuer that has never answered is asked every ten seconds, however many tokens name it', async (t) => {
  const { issuer, claims, verify, clock } = await world(t);
  const key = await issuer.makeKey('k1');
  issuer.answer = () => ({ status: 503, body: 'down' });
  for (let count = 0; count < 20; count += 1)
    await t.throwsAsync(verify(await key.sign(claims({ jti: `${count}` }))), { code: 'TAP_ISSUER_UNAVAILABLE' });
  t.is(issuer.requestedPaths.length, 1);
  issuer.answer = undefined;
  await clock.advance(10_000);
  t.like(await verify(await key.sign(claims())), { sub: 'joe' });
});

test('for an issuer that did not answer, one token waits while it is asked again, and all others are answered at once', async (t) => {
  const { claims, tokens, clock } = await world(t);
  const silent = createServer();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  const url = `https://localhost:${(silent.address() as AddressInfo).port}`;
  const key = await signingKey('k1', 'ES256');
  const verify = async () => tokens.verify(await key.sign(claims({ iss: url })), { audiences: ['tappaas'], issuer: { issuer: url } });
  const unavailable = { code: 'TAP_ISSUER_UNAVAILABLE' };
  const asking = async (): Promise<{ readonly socket: Socket; readonly verified: Promise<unknown> }> => {
    const verified = t.throwsAsync(verify(), unavailable);
    const [socket] = (await once(silent, 'connection')) as [Socket];
    return { socket, verified };
  };
  const first = await asking();
  first.socket.destroy();
  await first.verified;
  await clock.advance(10_000);
  const again = await asking();
  let isOver = false;
  void again.verified.then(() => (isOver = true));
  await t.throwsAsync(verify(), unavailable);
  t.false(isOver, 'the other one waits');
  again.socket.destroy();
  await again.verified;
});

test('many tokens with a key that the issuer has just made wait for it', async (t) => {
  const { issuer, claims, verify, clock } = await world(t);
  const first = await issuer.makeKey('k1');
  await verify(await first.sign(claims()));
  await clock.advance(30_000);
  const second = await issuer.makeKey('k2');
  const tokens = await Promise.all(Array.from({ length: 5 }, (_, index) => second.sign(claims({ jti: `${index}` }))));
  t.is((await Promise.all(tokens.map((token) => verify(token)))).length, 5);
  t.is(issuer.requestedPaths.filter((path) => path === '/keys').length, 2);
});

test('many requests with tokens of one issuer ask it once', async (t) => {
  const { issuer, claims, verify } = await world(t);
  const key = await issuer.makeKey('k1');
  const token = await key.sign(claims());
  await Promise.all(Array.from({ length: 50 }, () => verify(token)));
  t.deepEqual(issuer.requestedPaths, ['/.well-known/openid-configuration', '/keys']);
});

test('an issuer that answers anything but its keys cannot be asked, and says what was wrong', async (t) => {
  const cases: readonly (readonly [string, IssuerServer['answer'], RegExp])[] = [
    ['a redirect', () => ({ status: 302, body: '', headers: { location: 'https://example.com/keys' } }), /answered 302/],
    ['no JSON', () => ({ status: 200, body: '<html>' }), /not JSON/],
    ['no keys', (path) => (path === '/keys' ? { status: 200, body: '{}' } : undefined), /no key set/],
    ['null', () => ({ status: 200, body: 'null' }), /another issuer/],
    ['another issuer', () => ({ status: 200, body: '{"issuer":"https://other","jwks_uri":"https://other/keys"}' }), /another issuer/],
    ['too much', () => ({ status: 200, body: `"${'x'.repeat(300_000)}"` }), /larger than/],
  ];
  for (const [title, answer, message] of cases) {
    const { issuer, claims, verify } = await world(t);
    const key = await issuer.makeKey('k1');
    issuer.answer = answer;
    await t.throwsAsync(verify(await key.sign(claims())), { code: 'TAP_ISSUER_UNAVAILABLE', message }, title);
  }
});

test('keys are asked for over https from whom the authority vouches for, and nowhere inside on the say of an issuer', async (t) => {
  const { issuer, claims, tokens, rules } = await world(t);
  const key = await issuer.makeKey('k1');
  const token = await key.sign(claims());
  const { issuer: trusted } = rules();
  if (trusted === undefined) throw new Error('no issuer');
  const { certificateAuthority: _, ...untrusted } = trusted;
  await t.throwsAsync(tokens.verify(token, { audiences: ['tappaas'], issuer: untrusted }), { code: 'TAP_ISSUER_UNAVAILABLE' });
  const plain = { ...trusted, jwksUrl: 'http://localhost/keys' };
  await t.throwsAsync(tokens.verify(token, { audiences: ['tappaas'], issuer: plain }), { message: /no https address/ });
  const places = [
    'https://127.0.0.1:1/keys',
    'https://169.254.169.254/latest',
    'https://[::1]/x',
    'https://[::ffff:127.0.0.1]/x',
    'https://[::ffff:a9fe:a9fe]/x',
    'https://[64:ff9b::a9fe:a9fe]/x',
    'https://[2002:7f00:1::]/x',
    'https://[::7f00:1]/x',
    'https://[::ffff:0:7f00:1]/x',
    'https://[64:ff9b::10.0.0.1]/x',
    'https://10.1.2.3/x',
    'https://0x7f.1/x',
    'https://2130706433/x',
    'https://0251.0376.0251.0376/x',
    'https://198.18.0.1/x',
    'https://224.0.0.1/x',
    'https://255.255.255.255/x',
    'http://localhost/x',
  ];
  for (const place of places) {
    const other = await world(t);
    const signed = await (await other.issuer.makeKey('k1')).sign(other.claims());
    other.issuer.answer = () => ({ status: 200, body: JSON.stringify({ issuer: other.issuer.url, jwks_uri: place }) });
    await t.throwsAsync(other.verify(signed), { code: 'TAP_ISSUER_UNAVAILABLE', message: /inner address|no https address/ }, place);
  }
  const named = await world(t);
  const signed = await (await named.issuer.makeKey('k1')).sign(named.claims());
  named.issuer.answer = () => ({ status: 200, body: JSON.stringify({ issuer: named.issuer.url, jwks_uri: 'https://localhost:1/keys' }) });
  await t.throwsAsync(
    named.verify(signed, { allowedAddresses: ['127.0.0.1', '::1'] }),
    { message: /ECONNREFUSED/ },
    'the operator says so',
  );
  await t.throwsAsync(named.verify(signed), { message: /localhost leads to .* which is an inner address/ });
});

function memoryRecord() {
  let stored: { value: never; revision: number } | undefined;
  let writes = 0;
  return {
    writes: () => writes,
    stored: () => stored,
    load: async () => stored,
    replace: async (value: unknown, revision: number) => {
      if (revision !== (stored?.revision ?? 0)) return false;
      writes += 1;
      stored = { value: value as never, revision: revision + 1 };
      return true;
    },
  };
}

const dayMs = 86_400_000;

test('the platform signs, publishes public halves only, and verifies what it signed', async (t) => {
  const clock = new VirtualClock();
  const keys = new SigningKeys(memoryRecord(), clock, 'https://tappaas.example.com');
  await keys.refresh();
  const { token, expiresAtMs } = await keys.sign({ sub: 'x', aud: ['a'], iss: 'forged', exp: 1 }, 600_000);
  t.is(expiresAtMs, clock.nowMs() + 600_000);
  t.like(await keys.verify(token, ['a']), { sub: 'x', iss: 'https://tappaas.example.com', exp: expiresAtMs / 1000 });
  await t.throwsAsync(keys.verify(token, ['b']), invalid);
  t.deepEqual(Object.keys(keys.published.keys[0] ?? {}).toSorted(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  await clock.advance(600_000 + 61_000);
  await t.throwsAsync(keys.verify(token, ['a']), expired);
  t.is(
    (await keys.sign({ sub: 'x' }, 100 * dayMs)).expiresAtMs,
    Math.floor(clock.nowMs() / 1000) * 1000 + dayMs,
    'nothing lives longer than a day',
  );
});

test('keys are replaced every 30 days, published a day before they sign, and kept until nothing needs them', async (t) => {
  const clock = new VirtualClock();
  const keys = new SigningKeys(memoryRecord(), clock, 'https://tappaas.example.com');
  const kidOf = async () =>
    JSON.parse(Buffer.from((await keys.sign({}, 1000)).token.split('.')[0] ?? '', 'base64url').toString()).kid as string;
  await keys.refresh();
  const first = await kidOf();
  await clock.advance(29 * dayMs - 1);
  await keys.refresh();
  t.is(keys.published.keys.length, 1);
  await clock.advance(1);
  await keys.refresh();
  t.is(keys.published.keys.length, 2);
  t.is(await kidOf(), first, 'the new one is published before it signs');
  const { token } = await keys.sign({ aud: 'a' }, dayMs);
  await clock.advance(dayMs);
  await keys.refresh();
  t.not(await kidOf(), first);
  t.like(await keys.verify(token, ['a']), { aud: 'a' });
  await clock.advance(dayMs + 60_000);
  await keys.refresh();
  t.is(keys.published.keys.length, 1);
  t.not(keys.published.keys[0]?.kid, first);
});

test('replicas that start at once have one key, and each verifies what the other signs', async (t) => {
  const clock = new VirtualClock();
  const record = memoryRecord();
  const replicas = [1, 2, 3].map(() => new SigningKeys(record, clock, 'https://tappaas.example.com'));
  await Promise.all(replicas.map((keys) => keys.refresh()));
  t.is(record.writes(), 1);
  const [one, two] = replicas;
  t.like(await two?.verify((await one?.sign({ aud: 'a' }, 1000))?.token ?? '', ['a']), { aud: 'a' });
});

test('a token that another platform signed is refused, whatever its issuer says', async (t) => {
  const clock = new VirtualClock();
  const [ours, others] = [memoryRecord(), memoryRecord()].map((record) => new SigningKeys(record, clock, 'https://tappaas.example.com'));
  await Promise.all([ours?.refresh(), others?.refresh()]);
  await t.throwsAsync(ours?.verify((await others?.sign({ aud: 'a' }, 1000))?.token ?? '', ['a']) ?? Promise.resolve(), invalid);
  const published = ours?.published.keys[0] ?? {};
  await t.notThrowsAsync(importJWK(published, 'ES256'));
});

/** People of a real OpenID provider: with a browser, with the command line, and as programs. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { logInAt } from '../browser.ts';
import { auditedSessions, logIn, sessionsOf, sessionsPath, world, type Session, type World } from '../openid-world.ts';
import { eventually } from '../platform-process.ts';
import { storeBytes } from '../store-bytes.ts';

const sessionCookie = '__Host-tappaas-session';
const ownPage = { 'sec-fetch-site': 'same-origin' };
const selfReview = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
const review = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' });

test.serial('a person logs in with a browser, acts as who the provider says, and logs out', async (t) => {
  const given = await world(t);
  const browser = given.browser();
  const landed = await logIn(given, browser);
  t.is(landed.url, `${given.url}/plugins/oidc/account.html`, 'the page is the same for everybody and asks by itself');
  t.is(landed.status, 200);
  const host = new URL(given.url).host;
  t.regex(browser.cookie(host, sessionCookie) ?? '', /^tapp_/);
  const shown = await browser.send('GET', `${given.url}/plugins/oidc/session`, undefined, ownPage);
  t.like(JSON.parse(shown.text), { name: 'ann@example.com', groups: ['corp:team-a', 'corp:developers'], tenant: 'acme' });
  const sent = await browser.send('POST', given.url + selfReview, review, { ...ownPage, 'content-type': 'application/json' });
  t.is(sent.status, 201, sent.text);
  t.true(sent.text.includes('ann@example.com') && sent.text.includes('corp:team-a'));
  const foreign = await browser.send('POST', given.url + selfReview, review, {
    'sec-fetch-site': 'cross-site',
    'content-type': 'application/json',
  });
  t.is(foreign.status, 401, 'another site’s page has the cookie sent along and gets nothing');
  t.is((await sessionsOf(given)).length, 1);
  const out = await browser.send('POST', `${given.url}/plugins/oidc/logout`, '', ownPage);
  t.is(out.status, 303);
  t.true(String(out.headers['location']).startsWith(`${given.provider.issuer}/session/end`));
  t.is(browser.cookie(host, sessionCookie), undefined);
  await eventually(
    () => sessionsOf(given),
    (sessions) => sessions.length === 0,
  );
});

test.serial('what the provider granted is nowhere in the clear, not even for the administrator', async (t) => {
  const given = await world(t);
  await logIn(given, given.browser());
  const secrets = await given.platform.api('GET', '/api/v1/secrets');
  t.deepEqual(secrets.json<{ items: unknown[] }>().items, [], 'no right to Secrets gives what providers granted');
  const sessions = await given.platform.api('GET', sessionsPath);
  const [session] = sessions.json<{ items: readonly (Session & { readonly spec: { readonly granted: string } })[] }>().items;
  const sealed = Buffer.from(session?.spec.granted ?? '', 'base64').toString();
  t.regex(sealed, /"sealed":1/);
  t.notRegex(sealed, /eyJ|refreshToken|idToken/);
  const stored = await storeBytes(given.home);
  t.true(stored.includes(session?.metadata.name ?? '?'), 'the session is searched for and found');
  t.is(given.provider.granted.length, 3, 'an access token, a refresh token and an ID token');
  for (const secret of ['refreshToken', ...given.provider.granted]) t.false(stored.includes(secret), secret);
});

test.serial('a session follows the provider: groups change, and who may no longer refresh is logged out', async (t) => {
  const given = await world(t);
  const browser = given.browser();
  await logIn(given, browser);
  given.provider.people.set('ann', { email: 'ann@example.com', groups: ['team-b'], tenant: 'acme' });
  const session = () => browser.send('GET', `${given.url}/plugins/oidc/session`, undefined, ownPage);
  await eventually(session, ({ text }) => text.includes('corp:team-b'), 120_000);
  given.provider.people.delete('ann');
  await eventually(session, ({ status }) => status === 401, 120_000);
  t.deepEqual(await sessionsOf(given), []);
  const [ended, begun] = await eventually(
    () => auditedSessions(given),
    (events) => events.length === 2,
  );
  t.deepEqual(begun, ['create', 'logged in at the provider corp', 'oidc']);
  t.is(ended?.[0], 'delete');
  t.regex(ended?.[1] ?? '', /^the provider says /);
});

test.serial('a log-in that was not begun here, or leads elsewhere, is refused', async (t) => {
  const given = await world(t);
  const browser = given.browser();
  const callback = `${given.url}/plugins/oidc/callback`;
  t.is((await browser.get(`${callback}?code=x&state=y`)).status, 400);
  const shown = async (path: string, method = 'GET') => {
    const { status, headers, text } = await browser.send(method, `${given.url}/plugins/oidc/${path}`, undefined, {
      accept: 'text/html,*/*;q=0.8',
    });
    t.is(headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'", path);
    return [
      status,
      headers['content-type'],
      /<a href="(?<link>[^"]*)"/.exec(text)?.groups?.['link'],
      /<p>(?<why>[^<]*)/.exec(text)?.groups?.['why'],
    ];
  };
  const html = 'text/html; charset=utf-8';
  const notBegun = 'this browser has not begun to log in, or too long ago';
  t.deepEqual(await shown('callback?code=x&state=y'), [400, html, '/plugins/oidc/login', notBegun]);
  t.deepEqual(await shown('callback/%22%3E%3Cb%3E?code=x'), [400, html, '/plugins/oidc/login?issuer=%22%3E%3Cb%3E', notBegun]);
  t.deepEqual((await shown('login?issuer=%3Cb%3E')).slice(0, 3), [400, html, '/plugins/oidc/login']);
  t.deepEqual(await shown('logout', 'POST'), [400, html, '/plugins/oidc/account.html', 'only a page of this host logs out']);
  const stop = (url: string) => url.startsWith(callback);
  const back = await logInAt(browser, await browser.get(`${given.url}/plugins/oidc/login`), 'ann', stop);
  const stolen = new URL(back.url);
  t.is((await given.browser().get(stolen.href)).status, 400, 'another browser cannot finish it');
  stolen.searchParams.set('state', 'other');
  t.is((await browser.get(stolen.href)).status, 400, 'its state is that of this attempt');
  const away = await browser.send('GET', `${given.url}/plugins/oidc/login?return_to=${encodeURIComponent('//evil.example/x')}`);
  const cookie = Buffer.from(browser.cookie(new URL(given.url).host, '__Host-tappaas-login') ?? '', 'base64url').toString();
  t.is(away.status, 303);
  t.false(cookie.includes('evil'));
  t.is((await browser.get(`${given.url}/plugins/oidc/login?issuer=other`)).status, 400);
});

test.serial('a provider ends sessions on the back channel, once for each logout token', async (t) => {
  const given = await world(t);
  const browser = given.browser();
  await logIn(given, browser);
  const forged = await browser.send('POST', `${given.url}/plugins/oidc/backchannel-logout`, 'logout_token=a.b.c');
  t.is(forged.status, 400);
  t.is((await sessionsOf(given)).length, 1);
  const confirm = await browser.get(`${given.provider.issuer}/session/end`);
  await browser.submit(confirm, { logout: 'yes' });
  await eventually(
    () => sessionsOf(given),
    (sessions) => sessions.length === 0,
  );
  const [ended] = await eventually(
    () => auditedSessions(given),
    (events) => events.length === 2,
  );
  t.deepEqual(ended, ['delete', 'the provider corp has ended it', 'oidc']);
});

test.serial('people of two providers who are called the same are two people, and each is logged out by its own provider', async (t) => {
  const given = await world(t, {}, true);
  const { url, partner } = given;
  const [ofCorp, ofPartner] = [given.browser(), given.browser()];
  await logIn(given, ofCorp);
  await logIn(given, ofPartner, 'ann', 'partner');
  const whoami = async (browser: typeof ofCorp) => (await browser.send('GET', `${url}/plugins/oidc/session`, undefined, ownPage)).text;
  t.like(JSON.parse(await whoami(ofCorp)), { name: 'ann@example.com', groups: ['corp:team-a', 'corp:developers'], tenant: 'acme' });
  const named = JSON.parse(await whoami(ofPartner)) as object;
  t.like(named, { name: 'partner:ann@example.com', groups: ['partner:team-a'] });
  t.false('tenant' in named);
  const confirm = await ofPartner.get(`${partner?.issuer}/session/end`);
  await ofPartner.submit(confirm, { logout: 'yes' });
  const left = await eventually(
    () => sessionsOf(given),
    (sessions) => sessions.length < 2,
  );
  t.deepEqual(
    left.map(({ spec }) => spec.user),
    ['ann@example.com'],
  );
});

test.serial('a provider that says its people are of a tenant that it may not name logs nobody in', async (t) => {
  const mapping = { user: 'email', userPrefix: 'partner:', groups: 'groups', groupsPrefix: 'partner:', tenant: 'tenant' };
  const given = await world(t, {}, true, { tenants: ['rival'], claims: mapping });
  const person = { email: 'eve@example.com', groups: ['team-a'] };
  given.partner?.people.set('eve', { ...person, tenant: 'acme' });
  const refused = await logIn(given, given.browser(), 'eve', 'partner');
  t.is(refused.status, 403, refused.text);
  t.regex(refused.text, /IDENTITY_OIDC_CLAIM_FOREIGN/);
  t.deepEqual(await sessionsOf(given), []);
  given.partner?.people.set('eve', { ...person, tenant: 'rival' });
  t.is((await logIn(given, given.browser(), 'eve', 'partner')).status, 200);
  t.deepEqual(
    (await sessionsOf(given)).map(({ spec }) => spec.user),
    ['partner:eve@example.com'],
  );
});

/** Runs a command that trusts the provider; `act` does what it tells a person to do. */
async function command(
  { home, provider }: World,
  words: readonly string[],
  act?: (received: string) => Promise<unknown>,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const trusted = join(home.directory, 'trusted.pem');
  await writeFile(trusted, provider.certificateAuthority);
  const child = home.begin(words, { NODE_EXTRA_CA_CERTS: trusted });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  const received = new Promise<string>((done) => {
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
      if (/\n\n {2}\S+\n\n/.test(stderr)) done(stderr);
    });
  });
  const ended = new Promise<number>((done) => void child.once('close', (code) => done(code ?? -1)));
  if (act !== undefined) await Promise.race([received.then(act), ended]);
  return { code: await ended, stdout, stderr };
}

const logInWords = ({ url }: World): readonly string[] => ['login', url, '--oidc', '--certificate-authority', 'data/ca.pem'];

test.serial('the command line logs in with a browser that comes back to it, and gets its next token by itself', async (t) => {
  const given = await world(t);
  const browser = given.browser();
  const ended = await command(given, logInWords(given), async (received) => {
    const address = / {2}(?<url>https:\S+)/.exec(received)?.groups?.['url'] ?? '';
    const back = await logInAt(browser, await browser.get(address), 'ann', (url) => url.startsWith('http://127.0.0.1'));
    t.is((await fetch(back.url)).status, 200);
  });
  t.is(ended.code, 0, ended.stderr);
  const whoami = await command(given, ['whoami', '-o', 'json']);
  t.true(whoami.stdout.includes('ann@example.com'), whoami.stdout + whoami.stderr);
  const file = join(given.home.directory, 'home/login.json');
  const stored = JSON.parse(await readFile(file, 'utf8')) as { token: string; openid: { expiresAtMs: number } };
  await writeFile(file, JSON.stringify({ ...stored, token: 'old', openid: { ...stored.openid, expiresAtMs: 0 } }), { mode: 0o600 });
  const again = await command(given, ['whoami', '-o', 'json']);
  t.true(again.stdout.includes('ann@example.com'), again.stdout + again.stderr);
  const next = JSON.parse(await readFile(file, 'utf8')) as typeof stored;
  t.not(next.token, 'old');
  await writeFile(file, JSON.stringify({ ...next, openid: { ...next.openid, expiresAtMs: 0 } }), { mode: 0o600 });
  const atOnce = await Promise.all(Array.from({ length: 3 }, () => command(given, ['whoami', '-o', 'json'])));
  for (const { stdout, stderr } of atOnce) t.true(stdout.includes('ann@example.com'), stdout + stderr);
});

test.serial('the command line logs in by a code that a person enters on another device', async (t) => {
  const given = await world(t);
  const browser = given.browser();
  const ended = await command(given, [...logInWords(given), '--device'], async (received) => {
    const code = /\n {2}(?<code>\S+)\n/.exec(received)?.groups?.['code'] ?? '';
    const address = /Open (?<url>https:\S+)/.exec(received)?.groups?.['url'] ?? '';
    const entered = await browser.submit(await browser.get(address), { user_code: code });
    const confirmed = /name="confirm"/.test(entered.text) ? await browser.submit(entered, {}) : entered;
    await logInAt(browser, confirmed, 'ann');
  });
  t.is(ended.code, 0, ended.stderr);
  t.true((await command(given, ['whoami', '-o', 'json'])).stdout.includes('ann@example.com'));
});

test.serial(
  'a code that nobody confirms expires with words that say so, and what runs as the administrator then says so, too',
  async (t) => {
    const given = await world(t);
    given.provider.deviceCodeSeconds = 1;
    const expired = await command(given, [...logInWords(given), '--device']);
    t.is(expired.code, 1, expired.stderr);
    t.regex(expired.stderr, /^tappaas: the code of the provider corp expired before anybody confirmed it\n {2}Give the command again: /m);
    const after = await given.home.tappaas('plugins', '-o', 'json');
    t.is(after.code, 0, after.stderr);
    t.regex(
      after.stderr,
      /^tappaas: the login at https:\S+ was not finished, so this runs as the administrator, .*data\/kubeconfig; [^\n]*\n$/,
    );
  },
);

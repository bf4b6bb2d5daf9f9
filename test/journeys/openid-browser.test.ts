/** What a person sees who logs in with a real browser, and how many sessions that leaves. */
import test, { type ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { freshContext, launchChromium, runsBrowser } from '../chromium.ts';
import { logIn, sessionsOf, world, type World } from '../openid-world.ts';
import { eventually } from '../platform-process.ts';

const withBrowser = runsBrowser ? test.serial : test.serial.skip;
const ownPage = { 'sec-fetch-site': 'same-origin' };

async function visit(t: ExecutionContext): Promise<{ readonly page: Page; readonly problems: readonly string[] }> {
  const browser = await launchChromium();
  t.teardown(() => browser.close());
  const context = await freshContext(browser, { ignoreHTTPSErrors: true });
  const page = await context.newPage();
  const problems: string[] = [];
  // The provider's own pages are not ours to mend, and a session that is not there is answered 401.
  page.on('console', (message) => {
    const isOurs = message.location().url.includes('/plugins/oidc/') && !/status of 401/.test(message.text());
    if (isOurs && ['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  return { page, problems };
}

/** Goes where a person begins, and does what the provider asks for. */
async function logInOn(page: Page, { url }: World, name?: string): Promise<void> {
  await page.goto(`${url}/plugins/oidc/login`);
  if (name !== undefined) {
    await page.fill('input[name=login]', name);
    await page.fill('input[name=password]', 'any');
    await page.click('button[type=submit]');
  }
  await page.click('button[type=submit]');
  await page.waitForURL(`${url}/plugins/oidc/account.html`);
}

withBrowser('a person who has logged in lands on a page that says so, and logs out there', async (t) => {
  const given = await world(t);
  const { page, problems } = await visit(t);
  await logInOn(page, given, 'ann');
  await page.getByText('You are logged in as ann@example.com.').waitFor();
  await page.getByText('corp:team-a, corp:developers').waitFor();
  await page.getByText('acme', { exact: true }).waitFor();
  await page.reload();
  await page.getByText('You are logged in as ann@example.com.').waitFor();

  const [first] = await sessionsOf(given);
  await logInOn(page, given);
  await page.getByText('You are logged in as ann@example.com.').waitFor();
  const left = await eventually(
    () => sessionsOf(given),
    (sessions) => sessions.length === 1,
  );
  t.not(left[0]?.metadata.name, first?.metadata.name, 'the session that the browser had before has ended');

  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL(`${given.provider.issuer}/session/end**`);
  await eventually(
    () => sessionsOf(given),
    (sessions) => sessions.length === 0,
  );
  await page.goto(`${given.url}/plugins/oidc/account.html`);
  await page.getByText('You are not logged in.').waitFor();
  t.is(await page.getByRole('link', { name: 'Log in with corp' }).getAttribute('href'), 'login?issuer=corp');
  t.deepEqual(problems, []);
});

withBrowser('a person who is refused on the way back reads why, and begins again from there', async (t) => {
  const given = await world(t);
  const { page, problems } = await visit(t);
  const answer = await page.goto(`${given.url}/plugins/oidc/callback?code=stolen&state=other`);
  t.is(answer?.status(), 400);
  await page.getByText('this browser has not begun to log in, or too long ago').waitFor();
  await page.getByText(`request ${answer?.headers()['x-request-id']}`).waitFor();
  await page.getByRole('link', { name: 'Try again' }).click();
  await page.waitForURL(`${given.provider.issuer}/**`);
  await page.fill('input[name=login]', 'ann');
  await page.fill('input[name=password]', 'any');
  await page.click('button[type=submit]');
  await page.click('button[type=submit]');
  await page.getByText('You are logged in as ann@example.com.').waitFor();
  t.deepEqual(
    problems.filter((problem) => !problem.includes('status of 400')),
    [],
  );
});

test.serial('the page runs no script and shows no frame but its own, and a person has a few sessions at most', async (t) => {
  const given = await world(t, { sessionsPerPersonMax: 2 });
  const browsers = [given.browser(), given.browser(), given.browser()];
  const landed = await logIn(given, browsers[0] ?? given.browser());
  t.regex(String(landed.headers['content-security-policy']), /default-src 'none'; script-src 'self'.*frame-ancestors 'none'/);
  t.notRegex(landed.text, /<script(?! type="module" src="account\.js")|style=|ann@/);
  for (const browser of browsers.slice(1)) await logIn(given, browser);
  await eventually(
    () => sessionsOf(given),
    (sessions) => sessions.length === 2,
  );
  const shown = async (): Promise<readonly number[]> => {
    const answers = browsers.map((browser) => browser.send('GET', `${given.url}/plugins/oidc/session`, undefined, ownPage));
    return (await Promise.all(answers)).map(({ status }) => status);
  };
  t.deepEqual(await shown(), [401, 200, 200], 'the oldest has ended');
  await logIn(given, browsers[2] ?? given.browser());
  t.deepEqual(await shown(), [401, 200, 200], 'a browser that logs in again pushes out its own session and no other');
  t.is((await sessionsOf(given)).length, 2);
});

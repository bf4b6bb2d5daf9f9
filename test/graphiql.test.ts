/** The page to explore GraphQL, used as a person uses it, in a real browser on a whole platform. */
import { writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import type { Browser, Page } from 'playwright-core';
import { freshContext, launchChromium, runsBrowser } from './chromium.ts';
import { platformHome, type PlatformProcess } from './platform-process.ts';

const withBrowser = runsBrowser ? test.serial : test.serial.skip;
const graphiql = { use: '@tappaas/ui-graphiql' };

interface Opened {
  readonly platform: PlatformProcess;
  readonly browser: Browser;
}

let opened: Opened;
const closing: (() => Promise<unknown>)[] = [];
test.before(async (t) => {
  t.timeout(240_000);
  if (!runsBrowser) return;
  const home = await platformHome({ plugins: { graphiql }, api: { graphqlIntrospection: true } });
  closing.push(() => home.remove());
  const platform = await home.start();
  closing.push(() => platform.stop());
  const browser = await launchChromium();
  closing.push(() => browser.close());
  opened = { platform, browser };
});
test.after.always(async () => {
  for (const close of closing.toReversed()) await close();
});

/** A page of a browser without cookies, with all its errors and requests. */
async function visit(t: ExecutionContext, { browser, platform }: Opened) {
  const context = await freshContext(browser, { ignoreHTTPSErrors: true });
  t.teardown(() => context.close());
  const page = await context.newPage();
  const problems: string[] = [];
  const asked: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(new URL('/plugins/graphiql', platform.connection.server).href);
  return { page, problems, asked };
}

async function giveToken(page: Page, token: string): Promise<void> {
  await page.fill('#token', token);
  await page.click('#identity button[type=submit]');
}

async function run(page: Page, query: string): Promise<void> {
  const editor = page.locator('.graphiql-query-editor .CodeMirror');
  await editor.waitFor();
  await editor.evaluate((element, text) => {
    (element as unknown as { CodeMirror: { setValue(value: string): void } }).CodeMirror.setValue(text);
  }, query);
  await page.locator('.graphiql-execute-button').click();
}

const answerOf = (page: Page) => page.locator('.result-window .CodeMirror-code');

withBrowser(
  'a query runs through the page with the rights of the token, the schema is documented, and nothing comes from elsewhere',
  async (t) => {
    t.timeout(240_000);
    const { connection } = opened.platform;
    const { page, problems, asked } = await visit(t, opened);
    await page.locator('#notice', { hasText: 'does not know you' }).waitFor();
    // Chromium tells of the 401 that said so.
    t.deepEqual(
      problems.splice(0).filter((problem) => !problem.includes('401')),
      [],
    );
    await giveToken(page, connection.token);
    await page.locator('#caller', { hasText: '(token)' }).waitFor();
    t.true(await page.locator('#notice').isHidden());
    await run(page, '{ viewer { name } platform { plugins { name } } }');
    await answerOf(page).filter({ hasText: '"graphiql"' }).waitFor();
    await page.locator('[aria-label="Show Documentation Explorer"]').click();
    await page.locator('.graphiql-doc-explorer', { hasText: 'Query' }).waitFor();
    if (process.env['TAPPAAS_SCREENSHOT']) writeFileSync(process.env['TAPPAAS_SCREENSHOT'], await page.screenshot());
    t.deepEqual(problems, []);
    const { host } = new URL(connection.server);
    t.deepEqual(
      asked.filter((url) => !url.startsWith('data:') && new URL(url).host !== host),
      [],
    );
    t.is(await page.evaluate(() => localStorage.length), 0, 'nothing outlives the tab');
  },
);

withBrowser('a subscription tells changes on the page as they happen', async (t) => {
  t.timeout(240_000);
  const { platform } = opened;
  const { page, problems } = await visit(t, opened);
  await page.locator('#notice', { hasText: 'does not know you' }).waitFor();
  problems.length = 0;
  await giveToken(page, platform.connection.token);
  await page.locator('#caller', { hasText: '(token)' }).waitFor();
  await run(page, 'subscription { namespaceChanges { type object { name } } }');
  await answerOf(page).filter({ hasText: '"name"' }).waitFor();
  await platform.api('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'told-on-the-page' } });
  await answerOf(page).filter({ hasText: 'told-on-the-page' }).waitFor();
  t.deepEqual(problems, []);
});

withBrowser('a token that is forgotten is gone, and one that nobody has given out gains nothing', async (t) => {
  t.timeout(240_000);
  const { page } = await visit(t, opened);
  await giveToken(page, opened.platform.connection.token);
  await page.locator('#caller', { hasText: '(token)' }).waitFor();
  await page.click('#forget');
  await page.locator('#caller', { hasText: 'nobody' }).waitFor();
  t.is(await page.evaluate(() => sessionStorage.getItem('tappaas.token')), null);
  await giveToken(page, 'tapp_0000.nothing');
  await page.locator('#caller', { hasText: 'nobody' }).waitFor();
  await page.locator('#notice', { hasText: 'does not know you' }).waitFor();
});

withBrowser('the page says it when the platform does not tell its schema', async (t) => {
  t.timeout(240_000);
  const home = await platformHome({ plugins: { graphiql } });
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const { page } = await visit(t, { ...opened, platform });
  await giveToken(page, platform.connection.token);
  await page.locator('#notice', { hasText: 'api.graphqlIntrospection' }).waitFor();
  await run(page, '{ viewer { name } }');
  await answerOf(page).filter({ hasText: '"viewer"' }).waitFor();
  t.regex((await page.locator('#caller').textContent()) ?? '', /\(token\)$/);
});

/** The client in a real browser, on a page of another origin: its published modules, over connections that break. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Browser, Page } from 'playwright-core';
import type { Client } from '@tappaas/client';
import { application, kindPaths, startGraphql } from '../../../core/test/api/graphql/graphql-server.ts';
import { freshContext, launchChromium, runsBrowser } from '../../../test/chromium.ts';
import { startFlakyProxy } from './flaky-proxy.ts';

/** Globals that the page keeps between the steps of a test. */
declare const window: { readonly client: Client; readonly received: Record<string, unknown[]> };

const withBrowser = runsBrowser ? test.serial : test.serial.skip;
const root = resolve(import.meta.dirname, '../../..');

/** The import map, in place of a bundler: the browser entry, the parts of the SDK it needs, and the application's own socket.io. */
const imports = {
  '@tappaas/client': '/client/browser.js',
  '@tappaas/sdk/definitions': '/sdk/definitions.js',
  '@tappaas/sdk/log': '/sdk/log-entry.js',
  'socket.io-client': '/socket.io/socket.io.esm.min.js',
};
const folders: Readonly<Record<string, string>> = {
  client: join(root, 'sdk/client/dist'),
  sdk: join(root, 'sdk/dist'),
  'socket.io': join(root, 'node_modules/socket.io-client/dist'),
};
const html = `<!doctype html><link rel="icon" href="data:,"><script type="importmap">${JSON.stringify({ imports })}</script>`;

/** Serves the page and the modules that it imports. */
async function startPage(t: ExecutionContext): Promise<string> {
  const server = createServer((request, response) => {
    const [, folder = '', ...rest] = (request.url ?? '/').split('/');
    const directory = folders[folder];
    if (folder === '') response.writeHead(200, { 'content-type': 'text/html' }).end(html);
    else if (directory === undefined) response.writeHead(404).end();
    else
      readFile(join(directory, normalize(`/${rest.join('/')}`))).then(
        (text) => response.writeHead(200, { 'content-type': 'text/javascript' }).end(text),
        () => response.writeHead(404).end(),
      );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

let browser: Browser;
test.before(async (t) => {
  t.timeout(240_000);
  if (runsBrowser) browser = await launchChromium();
});
test.after.always(() => browser?.close());

const whole = { bytesMax: Infinity, delayMs: 0 };

/** Opens a page with a client that reaches the platform through a flaky proxy; `received` collects what the page receives. */
async function open(t: ExecutionContext) {
  const origin = await startPage(t);
  const server = await startGraphql(t, { cors: { origins: [origin] } });
  const proxy = await startFlakyProxy(server.port, () => whole);
  const context = await freshContext(browser);
  t.teardown(async () => {
    await context.close();
    await proxy.close();
  });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(origin);
  await page.evaluate(
    async ([url]) => {
      const { createClient } = await import('@tappaas/client');
      Object.assign(window, { client: createClient({ server: url, token: 'admin' }), received: {} });
    },
    [proxy.url] as const,
  );
  return { server, proxy, page, problems };
}

/** A message in any of the three ways of following applications. */
interface Followed {
  readonly type?: string;
  readonly object?: { readonly metadata: { readonly name: string } };
  readonly applicationChanges?: { readonly object: { readonly name: string } };
}

const collection = '/apis/apps.tappaas.dev/v1alpha1/namespaces/team/applications';
const document =
  'subscription C($since: String) { applicationChanges(namespace: "team", since: $since) { type resourceVersion object { name } } }';
const ways = ['watch', 'subscription', 'room'] as const;

/** Follows the applications in all three ways; collects the received names by way. */
function followAll(page: Page, since: string): Promise<void> {
  return page.evaluate(
    ([path, query, from]) => {
      const { client, received } = window;
      const { signal } = new AbortController();
      const kind = { group: 'apps.tappaas.dev', version: 'v1alpha1', plural: 'applications' };
      const feeds: Record<string, AsyncIterable<unknown>> = {
        watch: client.watch(path, { signal }),
        subscription: client.subscribe(query, { since: from }, { signal }),
        room: client.room({ topic: 'objects', ...kind, namespace: 'team' }, signal),
      };
      const gather = async (all: unknown[], feed: AsyncIterable<unknown>): Promise<void> => {
        try {
          for await (const message of feed as AsyncIterable<Followed>) {
            const { type, object, applicationChanges } = message;
            all.push(object?.metadata.name ?? applicationChanges?.object.name ?? type);
          }
          all.push('end');
        } catch (error) {
          all.push(String(error));
        }
      };
      for (const [way, feed] of Object.entries(feeds)) void gather((received[way] = []), feed);
    },
    [collection, document, since] as const,
  );
}

/** Returns what the page has received once it includes `last`, or after a timeout. */
async function receivedUntil(page: Page, name: string, last: string): Promise<readonly unknown[]> {
  const read = (): Promise<readonly unknown[]> => page.evaluate((key) => window.received[key] ?? [], name);
  await page.waitForFunction(([key, wanted]) => window.received[key]?.includes(wanted), [name, last] as const).catch(() => undefined);
  return read();
}

withBrowser('a page reads, writes and is told what is wrong, in the words of the platform', async (t) => {
  t.timeout(240_000);
  const { server, page, problems } = await open(t);
  await server.put(kindPaths.applications, application('shop'));
  const received = await page.evaluate(async () => {
    const { client } = window;
    const path = '/apis/apps.tappaas.dev/v1alpha1/namespaces/team/applications';
    const all = await client.json<{ items: { metadata: { name: string } }[] }>(path);
    const requested = await client.graphql<{ viewer: { name: string } }>({ query: '{ viewer { name } }' });
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'made' } };
    const write = { method: 'POST', body: JSON.stringify(map), contentType: 'application/json' } as const;
    const { status } = await client.send('/api/v1/namespaces/team/configmaps', write);
    const again = client.json<undefined>('/api/v1/namespaces/team/configmaps', write);
    const problem = await again.catch((error: unknown) => error as { name: string; status: number; reason: string });
    return {
      names: all?.items.map(({ metadata }) => metadata.name),
      viewer: requested.viewer.name,
      status,
      problem: problem && { name: problem.name, status: problem.status, reason: problem.reason },
      absent: (await client.json(`${path}/none`)) === undefined,
    };
  });
  t.deepEqual(received, {
    names: ['shop'],
    viewer: 'admin',
    status: 201,
    problem: { name: 'ApiError', status: 409, reason: 'AlreadyExists' },
    absent: true,
  });
  t.deepEqual(problems, []);
});

withBrowser('a watch, a subscription and a room of a page go on over breaks, and miss nothing and hear nothing twice', async (t) => {
  t.timeout(300_000);
  const { server, proxy, page, problems } = await open(t);
  const { json } = await server.ask('{ applications { resourceVersion } }');
  await followAll(page, json.data.applications.resourceVersion);
  const names = ['before', ...Array.from({ length: 8 }, (_, index) => `shop-${index}`)];
  await server.put(kindPaths.applications, application('before'));
  for (const way of ways) t.true((await receivedUntil(page, way, 'before')).includes('before'), way);
  for (const [index, name] of names.slice(1).entries()) {
    if (index % 3 === 1) proxy.cut();
    await server.put(kindPaths.applications, application(name));
  }
  for (const way of ways) {
    const received = await receivedUntil(page, way, 'shop-7');
    t.deepEqual(
      received.filter((each) => each !== 'SYNCED'),
      names,
      way,
    );
  }
  t.deepEqual(problems, []);
});

withBrowser('a page of an origin that is not listed reads nothing and opens no socket', async (t) => {
  t.timeout(240_000);
  const { server, page } = await open(t);
  const other = await startPage(t);
  await page.goto(other);
  const received = await page.evaluate(
    async ([url]) => {
      const { createClient } = await import('@tappaas/client');
      const client = createClient({ server: url, token: 'admin', attemptsMax: 1 });
      const reading = client.json('/version').then(
        () => 'read',
        (error: unknown) => (error as Error).name,
      );
      const opened = new Promise<string>((resolve) => {
        const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
        socket.addEventListener('open', () => resolve('open'));
        socket.addEventListener('error', () => resolve('refused'));
      });
      return [await reading, await opened];
    },
    [`http://127.0.0.1:${server.port}`] as const,
  );
  t.deepEqual(received, ['UnreachableError', 'refused']);
});

/** Starts another server, readable by any page, that records each requested path and whether it got the token. */
async function startOther(t: ExecutionContext, location?: string) {
  const received: string[] = [];
  const anybody = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*, authorization' };
  const server = createServer(({ method, url, headers }, response) => {
    if (method !== 'OPTIONS') received.push(`${url} ${headers.authorization ?? 'no token'}`);
    if (method === 'OPTIONS' || location === undefined) response.writeHead(200, anybody).end('{}');
    else response.writeHead(307, { ...anybody, location }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

withBrowser('a page follows no redirect, to which what it sends would go', async (t) => {
  t.timeout(240_000);
  const other = await startOther(t);
  const own = await startOther(t, `${other.url}/x`);
  const { page } = await open(t);
  const received = await page.evaluate(
    async ([url]) => {
      const { createClient } = await import('@tappaas/client');
      const client = createClient({ server: url, token: 'good', attemptsMax: 1 });
      const requested = client.json('/version', { method: 'POST', body: '{"a":1}' });
      return requested.then(
        () => 'read',
        (error: unknown) => (error as { status?: number }).status,
      );
    },
    [own.url] as const,
  );
  t.deepEqual([received, own.received, other.received], [302, ['/version Bearer good'], []]);
});

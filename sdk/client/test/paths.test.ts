/** Paths may contain untrusted data: whatever a path is, the token goes to the platform only. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { createClient, type Client } from '@tappaas/client';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { clientOn } from '../dist/client.js';
import { realDevices } from '../dist/devices.js';
import { fetchTransport } from '../dist/fetch-transport.js';

const Pods = kubernetesHandle<{ readonly metadata: { readonly name: string } }>('', 'Pod');

interface Listener {
  readonly host: string;
  /** Paths of all requests and upgrades. */
  readonly received: string[];
}

/** Responds to everything with a 404, or with a redirect if there is a `location`. */
async function listener(t: ExecutionContext, location?: string): Promise<Listener> {
  const received: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    received.push(url);
    if (location === undefined) response.writeHead(404).end('{}');
    else response.writeHead(307, { location }).end();
  });
  server.on('upgrade', ({ url = '' }, socket) => {
    received.push(url);
    socket.end(`HTTP/1.1 ${location === undefined ? '404 No' : `307 Away\r\nlocation: ${location}`}\r\nconnection: close\r\n\r\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

function clients(t: ExecutionContext, server: string): readonly Client[] {
  const made = [createClient({ server, token: 'tapp_x' }), clientOn(fetchTransport(), { server, token: 'tapp_x' }, realDevices)];
  for (const client of made) t.teardown(() => client.close());
  return made;
}

/** Each kind of request by path, by name. */
function ways(client: Client, path: string): Readonly<Record<string, () => Promise<unknown>>> {
  const { signal } = new AbortController();
  return {
    send: () => client.send(path),
    json: () => client.json(path, { method: 'POST', body: '{}' }),
    lines: () => client.lines(path, signal).next(),
    watch: () => client.watch(path, { signal }).next(),
    until: () => client.until({ collection: path, name: 'x', timeoutMs: 10_000 }, () => true),
    exec: () => client.exec({ pod: path, command: ['true'], signal }).next(),
  };
}

test('a path that names another host is refused before anything is sent', async (t) => {
  const [own, other] = [await listener(t), await listener(t)];
  const { host } = other;
  const away = [`//${host}/x`, `/\\${host}/x`, `\\\\${host}/x`, `/\t/${host}/x`, `http://${host}/x`, `@${host}/x`];
  for (const client of clients(t, `http://${own.host}`)) {
    for (const path of away) {
      for (const [name, ask] of Object.entries(ways(client, path))) {
        t.regex((await t.throwsAsync(ask, { instanceOf: TypeError }, `${name} ${path}`)).message, /expected a path of http:/, name);
      }
    }
  }
  t.deepEqual([other.received, own.received], [[], []]);
});

test('a path stays below the path of the server', async (t) => {
  const own = await listener(t);
  for (const client of clients(t, `http://${own.host}/platform/`)) {
    for (const path of ['/../secret', '/%2e%2e/secret', '/..', '//x']) {
      await t.throwsAsync(client.json(path), { instanceOf: TypeError }, path);
    }
    await client.json('/version?a=//b');
  }
  t.deepEqual(own.received, ['/platform/version?a=//b', '/platform/version?a=//b']);
});

test('a name of dots leads to no other objects', async (t) => {
  const own = await listener(t);
  const { signal } = new AbortController();
  for (const client of clients(t, `http://${own.host}`)) {
    for (const dots of ['.', '..']) {
      const pods = client.of(Pods);
      const ways = [
        async () => pods.list({ namespace: dots }).next(),
        async () => pods.watch({ namespace: dots, signal }).next(),
        async () => pods.get({ namespace: 'team', name: dots }),
        async () => pods.delete({ namespace: dots, name: 'a' }),
        async () => client.of(Pods, { engine: dots }).list().next(),
      ];
      for (const ask of ways) await t.throwsAsync(ask, { instanceOf: TypeError, message: /is not a name/ });
    }
  }
  t.deepEqual(own.received, []);
});

test('a redirect is not followed: neither the token nor what was sent goes along', async (t) => {
  const other = await listener(t);
  const own = await listener(t, `http://${other.host}/x`);
  for (const client of clients(t, `http://${own.host}`)) {
    for (const [name, ask] of Object.entries(ways(client, '/x'))) {
      if (name === 'send') t.is(((await ask()) as { status: number }).status, 307);
      // The WebSocket of browsers does not reveal the status of a refusal.
      else if (name === 'exec') await t.throwsAsync(ask);
      else t.like(await t.throwsAsync(ask, undefined, name), { status: 307 }, name);
    }
  }
  t.deepEqual(other.received, []);
});

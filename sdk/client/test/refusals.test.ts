/** Errors that a retry cannot fix are reported at once, with the same text in every interface. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { ApiError, createClient, UnreachableError, type Client } from '@tappaas/client';
import { issueAuthority, issueServer } from '../../../core/dist/api/certificates/certificate-issuer.js';
import { startRealServer } from '../../../core/test/api/real-server.ts';

const subscription = 'subscription { applicationChanges { type } }';

/** Each kind of request, by name. */
function ways(client: Client, signal: AbortSignal): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    json: () => client.json('/version', { timeoutMs: 60_000 }),
    lines: () => client.lines('/version', signal).next(),
    watch: () => client.watch('/api/v1/namespaces', { signal }).next(),
    subscription: () => client.subscribe<object>(subscription, {}, { signal }).next(),
    room: () => client.room({ topic: 'operations' }, signal).next(),
  };
}

function clientOf(t: ExecutionContext, server: string, certificateAuthority?: string): Client {
  const client = createClient({ server, token: 'x', ...(certificateAuthority && { certificateAuthority }) });
  t.teardown(() => client.close());
  return client;
}

test('an authority that is not trusted is told, for requests, streams, subscriptions and rooms', async (t) => {
  const nowMs = Date.now();
  const [own, other] = [await issueAuthority(nowMs), await issueAuthority(nowMs)];
  const server = await startRealServer({ tls: await issueServer(own, ['127.0.0.1', 'localhost'], nowMs) });
  t.teardown(() => server.close());
  const client = clientOf(t, server.url, other.certificate);
  for (const [name, ask] of Object.entries(ways(client, new AbortController().signal))) {
    t.is((await t.throwsAsync(ask, { instanceOf: UnreachableError }, name)).reason, 'untrusted', name);
  }
});

test('a server that is no platform is told, for requests, streams, subscriptions and rooms', async (t) => {
  const server = createServer((_, response) => void response.writeHead(404).end('not here'));
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  t.teardown(() => void server.close());
  const client = clientOf(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  for (const [name, ask] of Object.entries(ways(client, new AbortController().signal))) {
    t.is((await t.throwsAsync(ask, { instanceOf: ApiError }, name)).status, 404, name);
  }
});

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isTapError, secretFrom } from '@tappaas/sdk';
import { conformance, load, startTestKernel } from '@tappaas/testing';
import test, { type ExecutionContext } from 'ava';
import auditWebhook from '../dist/index.js';
import { Receiver, type ReceiverSettings } from '../dist/receiver.js';

async function receiver(
  t: { teardown(close: () => void): void },
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => void response.writeHead(204).end(),
) {
  const lines: string[] = [];
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push(request);
      lines.push(
        ...Buffer.concat(chunks)
          .toString()
          .split('\n')
          .filter((line) => line !== ''),
      );
      answer(request, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => void server.close());
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/lines`;
  return { url, lines, requests };
}

const settings = (url: string, more: Partial<ReceiverSettings> = {}): ReceiverSettings => ({
  url,
  timeoutMs: 60_000,
  allowedAddresses: [],
  allowPlainHttp: true,
  ...more,
});
const line = (sequence: number) => ({ chain: 'r0', sequence, text: `{"chain":"r0","sequence":${sequence}}` });
const context = { signal: new AbortController().signal } as Parameters<Receiver['write']>[1];

async function failure(t: ExecutionContext, work: Promise<unknown>, code: string): Promise<string> {
  const error = await t.throwsAsync(work);
  t.true(isTapError(error, code), error?.message);
  return error?.message ?? '';
}

const config = { url: 'https://audit.example.com/lines' };
for (const { title, run } of conformance.plugin(() => load(auditWebhook, config))) test(title, (t) => t.notThrowsAsync(run));

for (const [index, { title }] of conformance.auditSink(() => ({ plugin: load(auditWebhook, config) })).entries()) {
  test(`as a sink: ${title}`, async (t) => {
    const { url, lines } = await receiver(t);
    const make = () => ({ plugin: load(auditWebhook, { url, allowPlainHttp: true }), kept: () => lines });
    await t.notThrowsAsync(async () => conformance.auditSink(make)[index]?.run());
  });
}

test('a batch is one POST of its lines, with the token and a key that is the same when it is repeated', async (t) => {
  const { url, lines, requests } = await receiver(t);
  const sink = await Receiver.open(settings(url, { token: secretFrom(() => Buffer.from('hush')) }));
  t.teardown(() => sink.close());
  await sink.write([line(1), line(2)], context);
  await sink.write([line(1), line(2)], context);
  t.deepEqual(lines.slice(0, 2), [line(1).text, line(2).text]);
  t.deepEqual(
    requests.map(({ method, headers }) => [method, headers['content-type'], headers.authorization, headers['idempotency-key']]),
    Array.from({ length: 2 }, () => ['POST', 'application/x-ndjson', 'Bearer hush', 'r0-1-2']),
  );
});

test('what the receiver refuses, and a redirect wherever it leads, is a failure', async (t) => {
  const other = await receiver(t);
  for (const status of [500, 401, 302, 307]) {
    const { url } = await receiver(t, (_, response) => void response.writeHead(status, { location: other.url }).end());
    const sink = await Receiver.open(settings(url));
    t.teardown(() => sink.close());
    t.regex(await failure(t, sink.write([line(1)], context), 'TELEMETRY_AUDIT_WEBHOOK_FAILED'), new RegExp(`answered ${status}`));
  }
  t.is(other.requests.length, 0);
});

test('a receiver that is silent is given up', async (t) => {
  const { url } = await receiver(t, () => {});
  const sink = await Receiver.open(settings(url, { timeoutMs: 300 }));
  t.teardown(() => sink.close());
  t.regex(await failure(t, sink.write([line(1)], context), 'TELEMETRY_AUDIT_WEBHOOK_FAILED'), /no answer within 300 ms/);
});

test('link-local and metadata addresses are refused in every form, unless the operator allows them', async (t) => {
  const refused = ['169.254.169.254', '[fe80::1]', '[64:ff9b::a9fe:a9fe]', '0.0.0.0', '2852039166', '0xa9fea9fe'];
  for (const host of refused)
    await failure(t, Receiver.open(settings(`http://${host}/latest/meta-data`)), 'TELEMETRY_AUDIT_WEBHOOK_REFUSED');
  const sink = await Receiver.open(settings('http://169.254.169.254/', { allowedAddresses: ['169.254.169.254'] }));
  sink.close();
  await failure(t, Receiver.open(settings('http://localhost/', { allowedAddresses: ['here'] })), 'TELEMETRY_AUDIT_WEBHOOK_REFUSED');
});

test('a receiver on this machine is reached by the name localhost, and by another name of it when the operator allows that', async (t) => {
  const { url, lines } = await receiver(t);
  const local = await Receiver.open(settings(url.replace('127.0.0.1', 'localhost')));
  t.teardown(() => local.close());
  await t.notThrowsAsync(local.write([line(1)], context));
  const named = url.replace('127.0.0.1', 'loopback.invalid');
  const leadsHere = (_: string, __: object, done: (error: null, addresses: { address: string; family: number }[]) => void) =>
    done(null, [{ address: '127.0.0.1', family: 4 }]);
  const refused = await Receiver.open(settings(named), leadsHere);
  t.teardown(() => refused.close());
  t.regex(
    await failure(t, refused.write([line(2)], context), 'TELEMETRY_AUDIT_WEBHOOK_REFUSED'),
    /loopback\.invalid leads to 127\.0\.0\.1/,
  );
  const allowed = await Receiver.open(settings(named, { allowedAddresses: ['127.0.0.0/8'] }), leadsHere);
  t.teardown(() => allowed.close());
  await t.notThrowsAsync(allowed.write([line(3)], context));
  t.deepEqual(lines, [line(1).text, line(3).text]);
});

test('plain http and credentials in the url are refused', async (t) => {
  await failure(t, Receiver.open(settings('http://example.com/', { allowPlainHttp: false })), 'TELEMETRY_AUDIT_WEBHOOK_REFUSED');
  await failure(t, Receiver.open(settings('https://ann:hush@example.com/')), 'TELEMETRY_AUDIT_WEBHOOK_REFUSED');
});

test('a url that is refused is why the plugin does not start', async (t) => {
  const plugin = load(auditWebhook, { url: 'https://169.254.169.254/' });
  await t.throwsAsync(startTestKernel({ plugins: [plugin] }), { message: /link-local/ });
});

test('an entry of allowedAddresses that is no address is refused with the configuration, by its name', async (t) => {
  const start = startTestKernel({ plugins: [load(auditWebhook, { ...config, allowedAddresses: ['10.0.0.0/8', 'here'] })] });
  const error = await t.throwsAsync(start);
  t.regex(error?.message ?? '', /config\.allowedAddresses\[1\]/);
});

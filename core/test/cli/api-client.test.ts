import { createServer, type RequestListener } from 'node:https';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { createApiClient, refusal } from '../../dist/cli/api-client.js';
import { selfSigned } from '../cluster/certificates.ts';

const { certificate, key } = await selfSigned('platform');

async function clientOf(t: ExecutionContext, answer: RequestListener) {
  const server = createServer({ cert: certificate, key }, answer);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return createApiClient({ server: `https://127.0.0.1:${port}`, token: 'tapp_x', certificateAuthority: certificate });
}

test('a stream that the platform breaks off gives the lines that came, then says so in words', async (t) => {
  const client = await clientOf(t, (_, response) => {
    response.write('one\ntwo\nhal', () => setImmediate(() => response.destroy()));
  });
  const lines: string[] = [];
  const error = await t.throwsAsync(
    async () => {
      for await (const line of client.lines('/logs', new AbortController().signal)) lines.push(line);
    },
    { message: /the platform broke the answer off/ },
  );
  t.is((error as { exitCode?: number } | undefined)?.exitCode, 69);
  t.deepEqual(lines, ['one', 'two']);
});

test('a cause that the message holds already is not told twice, and the others each have a line', (t) => {
  const answer = (message: string, causes: readonly object[]) =>
    refusal({ status: 422, headers: {}, text: JSON.stringify({ message, details: { causes } }) }).message;
  const cause = { field: 'spec.processes', message: 'has too many replicas' };
  t.is(
    answer('"shop" is denied: spec.processes: has too many replicas (limit)', [cause]),
    '"shop" is denied: spec.processes: has too many replicas (limit)',
  );
  t.is(
    answer('"shop" is invalid', [cause, { message: 'has no name' }]),
    '"shop" is invalid\n  spec.processes: has too many replicas\n  has no name',
  );
});

import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { ApiError, createClient, type Client } from '@tappaas/client';
import { cliErrorOf } from '../../dist/cli/cli-error-of.js';
import { selfSigned } from '../cluster/certificates.ts';

const { certificate, key } = await selfSigned('platform');

async function clientOf(t: ExecutionContext, answer: RequestListener, authority: string | undefined = certificate): Promise<Client> {
  const server = createServer({ cert: certificate, key }, answer);
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const trusted = authority === '' ? {} : { certificateAuthority: authority };
  return createClient({ server: `https://127.0.0.1:${port}`, token: 'tapp_x', attemptsMax: 1, ...trusted });
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
  t.is(cliErrorOf(error)?.exitCode, 69);
  t.deepEqual(lines, ['one', 'two']);
});

test('an authority that is not trusted, and nobody who answers, each say what to do', async (t) => {
  const unauthenticated = await clientOf(t, (_, response) => response.end('{}'), '');
  const untrusted = cliErrorOf(await t.throwsAsync(unauthenticated.json('/')));
  t.regex(untrusted?.message ?? '', /is not trusted/);
  t.regex(untrusted?.remedy ?? '', /--certificate-authority/);
  const gone = createClient({ server: 'https://127.0.0.1:1', token: 'x', attemptsMax: 1 });
  const unreachable = cliErrorOf(await t.throwsAsync(gone.json('/')));
  t.regex(unreachable?.message ?? '', /does not answer \(ECONNREFUSED\)/);
  t.regex(unreachable?.remedy ?? '', /tappaas up/);
  t.is(unreachable?.exitCode, 69);
});

test('a cause that the message holds already is not told twice, and the others each have a line', (t) => {
  const answer = (message: string, causes: readonly object[]) =>
    cliErrorOf(ApiError.of({ status: 422, text: JSON.stringify({ message, details: { causes } }) }))?.message;
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

test('an error that is a fault of ours is not told as if a person could mend it', (t) => {
  t.is(cliErrorOf(new TypeError('x is undefined')), undefined);
  t.is(cliErrorOf('text'), undefined);
});

test('a refusal whose only cause says the same is told once, with the field', (t) => {
  const refusal = (causes: readonly object[]) =>
    cliErrorOf(new ApiError(400, { message: 'no terminal is given', details: { causes } }))?.message;
  t.is(refusal([{ field: 'tty', message: 'no terminal is given' }]), 'tty: no terminal is given');
  t.is(refusal([{ field: 'tty', message: 'expected false' }]), 'no terminal is given\n  tty: expected false');
});

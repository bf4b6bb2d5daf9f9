import { Writable } from 'node:stream';
import { conformance, load } from '@tappaas/testing';
import { isTapError } from '@tappaas/sdk';
import test from 'ava';
import auditStdout from '../dist/index.js';
import { LineOutput } from '../dist/line-output.js';

for (const { title, run } of conformance.plugin(() => load(auditStdout))) test(title, (t) => t.notThrowsAsync(run));

const line = (sequence: number) => ({ chain: 'r0', sequence, text: `{"n":${sequence}}` });

test('lines go out as they are, and count when the stream has passed them on', async (t) => {
  const passed: string[] = [];
  const gate = Promise.withResolvers<void>();
  const stream = new Writable({
    write(chunk: Buffer, _, goOn) {
      passed.push(chunk.toString());
      void gate.promise.then(() => goOn());
    },
  });
  const output = new LineOutput(stream);
  let isWritten = false;
  const written = output.write([line(1), line(2)]).then(() => (isWritten = true));
  await new Promise(setImmediate);
  t.false(isWritten);
  t.deepEqual(passed, ['{"n":1}\n{"n":2}\n']);
  gate.resolve();
  await written;
});

test('a batch that is tried again while the stream still holds it is waited for and not written twice', async (t) => {
  const passed: string[] = [];
  const gate = Promise.withResolvers<void>();
  const output = new LineOutput(
    new Writable({
      write(chunk: Buffer, _, goOn) {
        passed.push(chunk.toString());
        void gate.promise.then(() => goOn());
      },
    }),
  );
  const first = output.write([line(1)]);
  const second = output.write([line(1)]);
  gate.resolve();
  await Promise.all([first, second]);
  t.deepEqual(passed, ['{"n":1}\n']);
});

test('a stream that fails is told as the fault of its surroundings', async (t) => {
  const stream = new Writable({ write: (_, __, done) => done(new Error('EPIPE')) });
  stream.on('error', () => {});
  const error = await t.throwsAsync(new LineOutput(stream).write([line(1)]));
  t.true(isTapError(error, 'TELEMETRY_AUDIT_STDOUT_FAILED'));
});

import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { readFrames } from '../dist/agent/exec-frame.js';
import { runBeside } from '../dist/agent/pod/exec.js';
import { roomIn } from '../dist/agent/room-in.js';

const listeners = (stream: PassThrough): number => ['drain', 'close', 'error'].reduce((sum, event) => sum + stream.listenerCount(event), 0);

test('a command whose output fills its way again and again leaves no listener on it', async (t) => {
  const answer = Object.assign(new PassThrough({ highWaterMark: 1_000 }), { writeHead: () => {}, flushHeaders: () => {} });
  const most: number[] = [];
  const beside = { prefix: [], cwd: '/', env: {} };
  const over = runBeside(
    ['/bin/sh', '-c', 'head -c 3000000 /dev/zero'],
    beside,
    new PassThrough().end(),
    answer,
    new AbortController().signal,
  );
  let bytes = 0;
  for await (const { channel, bytes: part } of readFrames(answer)) {
    if (channel === 1) bytes += part.length;
    most.push(listeners(answer));
  }
  await over;
  t.is(bytes, 3_000_000);
  t.true(most.length > 30);
  t.true(Math.max(...most) <= Math.max(...most.slice(0, 5)), `${Math.max(...most)} listeners`);
});

test('who waits for room goes on when there is some, and when the stream has gone, and leaves nothing behind', async (t) => {
  const stream = new PassThrough({ highWaterMark: 1 });
  const before = listeners(stream);
  for (let turn = 0; turn < 20; turn += 1) {
    t.false(stream.write('ab'));
    const room = roomIn(stream);
    stream.read();
    await room;
    t.is(listeners(stream), before);
  }
  stream.write('ab');
  const gone = roomIn(stream);
  stream.destroy();
  await gone;
  await setImmediate();
  t.false(stream.listeners('drain').length > 0);
});

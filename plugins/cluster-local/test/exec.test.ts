import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import test from 'ava';
import * as fc from 'fast-check';
import type { ConversationRequest, RequestContext } from '@tappaas/sdk';
import { execFrame, frames, readFrames } from '../dist/agent/exec-frame.js';
import { Pods } from '../dist/kinds/handles.js';
import { refuseSpdy } from '../dist/subresources/channels.js';
import { checkExec, execInPod } from '../dist/subresources/exec.js';
import { ChannelClient as Client, stdin, stderr, stdout } from './support/channel-client.ts';
import { clock, LocalCluster, never, until } from './support/local-cluster.ts';
import { pod } from './support/manifests.ts';
import { isRunning, logOf, untilPod } from './support/pods.ts';

const flags = { stdin: ['true'], stdout: ['true'], stderr: ['true'] };
const request = (command: readonly string[], query: Record<string, readonly string[]> = flags, name = 'web'): ConversationRequest => ({
  key: { namespace: 'default', name },
  query: new Map(Object.entries({ command, ...query })),
});

const context = (cluster: LocalCluster): RequestContext =>
  ({ asCaller: cluster.store.resources(), clock, signal: never }) as unknown as RequestContext;

test('a command runs beside a container with its environment and in its directory; input, output and exit code pass', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  await cluster.start();
  cluster.store.create(
    Pods,
    pod('web', {
      containers: [
        {
          name: 'main',
          image: 'process',
          command: ['/bin/sh', '-c', 'echo there > note; echo written; exec sleep 600'],
          env: [{ name: 'COLOUR', value: 'red' }],
        },
        { name: 'waiting', image: 'no-such-image' },
      ],
    }),
  );
  const found = await untilPod(cluster, 'web', 'main runs', ({ status }) => status?.containerStatuses?.[0]?.state?.running);
  await until('written', async () => (await logOf(cluster, found, 'main')) === 'written\n');
  const begin = async (command: readonly string[], query = {}): Promise<{ client: Client; over: Promise<void> }> => {
    const client = new Client();
    const talk = await execInPod(request(command, { ...flags, container: ['main'], ...query }), context(cluster), cluster.control);
    return { client, over: talk(client) };
  };

  const { client, over } = await begin(['/bin/sh', '-c', 'echo "$COLOUR $(cat note)"; echo oops >&2; exit 3']);
  await over;
  t.is(client.on(stdout).toString(), 'red there\n');
  t.is(client.on(stderr).toString(), 'oops\n');
  t.is(client.status.reason, 'NonZeroExitCode');
  t.is(client.status.details?.causes[0]?.message, '3');

  const echo = await begin(['cat']);
  const bytes = randomBytes(300_000);
  for (let at = 0; at < bytes.length; at += 30_000) echo.client.write(stdin, bytes.subarray(at, at + 30_000));
  echo.client.write(4, '{"Width":80,"Height":24}');
  echo.client.closeInput();
  await echo.over;
  t.deepEqual(echo.client.on(stdout), bytes);
  t.is(echo.client.status.status, 'Success');

  const killed = await begin(['/bin/sh', '-c', 'kill -9 $$']);
  await killed.over;
  t.is(killed.client.status.details?.causes[0]?.message, '137');

  const absent = await begin(['no-such-program']);
  await absent.over;
  t.regex(absent.client.status.message ?? '', /not found/);
  t.is(absent.client.on(stderr).toString(), `${absent.client.status.message}\n`);
  t.is(absent.client.status.details?.causes[0]?.message, '127', 'as a shell ends');

  const unable = await begin(['/etc/passwd']);
  await unable.over;
  t.is(unable.client.on(stderr).toString(), '"/etc/passwd": there is no program that can be run (EACCES)\n');
  t.is(unable.client.status.details?.causes[0]?.message, '126');

  const discarding = await begin(['/bin/sh', '-c', 'echo hidden; cat'], { stdout: ['false'], stdin: ['false'] });
  await discarding.over;
  t.is(discarding.client.on(stdout).toString(), '');
  t.is(discarding.client.status.status, 'Success');
});

test('a command ends with its client, and with its container', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  await cluster.start();
  cluster.store.create(
    Pods,
    pod('web', { restartPolicy: 'Never', containers: [{ name: 'main', image: 'process', command: ['sleep', '600'] }] }),
  );
  await untilPod(cluster, 'web', 'main runs', ({ status }) => status?.containerStatuses?.[0]?.state?.running);
  const begin = async (): Promise<{ client: Client; over: Promise<void>; pid: number }> => {
    const client = new Client();
    const talk = await execInPod(request(['/bin/sh', '-c', 'echo $$; sleep 600']), context(cluster), cluster.control);
    const over = talk(client);
    const pid = Number(await until('a pid', () => client.on(stdout).toString().trim() || undefined));
    t.true(isRunning(pid));
    return { client, over, pid };
  };
  const left = await begin();
  left.client.go();
  await t.notThrowsAsync(left.over, 'who has left is told of no failure');
  await until('ended', () => !isRunning(left.pid));

  const stays = await begin();
  cluster.store.delete(Pods, { namespace: 'default', name: 'web' });
  await stays.over;
  t.false(isRunning(stays.pid));
  t.is(stays.client.status.details?.causes[0]?.message, '137');
});

test('what a command has begun in a session of its own ends with its client, and with the container when it was left running', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  await cluster.start();
  cluster.store.create(
    Pods,
    pod('web', { restartPolicy: 'Never', containers: [{ name: 'main', image: 'process', command: ['sleep', '600'] }] }),
  );
  await untilPod(cluster, 'web', 'main runs', ({ status }) => status?.containerStatuses?.[0]?.state?.running);
  const begin = async (script: string): Promise<{ client: Client; over: Promise<void>; pid: number }> => {
    const client = new Client();
    const talk = await execInPod(request(['/bin/sh', '-c', script]), context(cluster), cluster.control);
    const over = talk(client);
    return { client, over, pid: Number(await until('a pid', () => client.on(stdout).toString().trim() || undefined)) };
  };
  const held = await begin("setsid sh -c 'echo $$; exec sleep 600' & wait");
  const orphaned = await begin("setsid sh -c 'echo $$; exec sleep 600' &");
  for (const { client, over, pid } of [held, orphaned]) {
    t.true(isRunning(pid));
    client.go();
    await over;
    await until('ended', () => !isRunning(pid));
  }

  const left = await begin("setsid sh -c 'echo $$; exec sleep 600 >&- 2>&-' &");
  await left.over;
  t.is(left.client.status.status, 'Success');
  t.true(isRunning(left.pid), 'a command that has ended may leave something running');
  cluster.store.delete(Pods, { namespace: 'default', name: 'web' });
  await until('ended with the container', () => !isRunning(left.pid));
});

test('what cannot be done is refused before anything runs, and says why', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  const ask = (each: ConversationRequest) => execInPod(each, context(cluster), cluster.control);
  cluster.store.create(Pods, pod('web', { containers: [{ name: 'main', image: 'no-such-image' }] }));
  await t.throwsAsync(ask(request(['sh'], { ...flags, tty: ['true'] })), { message: /no terminal \(tty\) can be given/ });
  await t.throwsAsync(ask(request([])), { message: 'expected a command to run' });
  await t.throwsAsync(ask(request(['a\0b'])), { message: /without NUL/ });
  await t.throwsAsync(ask(request(Array.from({ length: 1001 }, () => 'x'))), { message: /at most 1000 words/ });
  await t.throwsAsync(ask(request(['sh'], flags, 'gone')), { code: 'CLUSTER_LOCAL_NOT_FOUND' });
  await t.throwsAsync(ask(request(['sh'], { ...flags, container: ['other'] })), { message: /container other is not valid for pod web/ });
  await t.throwsAsync(ask(request(['sh'])), { code: 'CLUSTER_LOCAL_AGENT_UNREACHABLE' });
  await cluster.start();
  await until('refused', () =>
    ask(request(['sh'])).then(
      () => undefined,
      (problem: Error) => /the container does not run/.test(problem.message),
    ),
  );
  const spdy = { key: { namespace: 'default', name: 'web' }, params: {}, headers: {}, body: new Uint8Array() };
  const refuse = refuseSpdy('exec', checkExec);
  await t.throwsAsync(refuse({ ...spdy, query: { command: 'sh' } }), { message: /spoken over WebSocket/ });
  await t.throwsAsync(refuse({ ...spdy, query: { command: 'sh', tty: 'true' } }), { message: /no terminal/ });
});

test('frames are read as they were written, however they are cut on the way', async (t) => {
  const frame = fc.record({ channel: fc.integer({ min: 0, max: 255 }), bytes: fc.uint8Array({ maxLength: 50 }) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(frame, { maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
      async (sent, cuts) => {
        const whole = Buffer.concat(sent.map(({ channel, bytes }) => execFrame(channel, bytes)));
        async function* pieces(): AsyncIterable<Uint8Array> {
          for (let at = 0, index = 0; at < whole.length; index += 1) {
            const length = cuts[index % cuts.length] ?? 1;
            yield whole.subarray(at, at + length);
            at += length;
          }
        }
        const read = [];
        for await (const each of readFrames(pieces())) read.push({ channel: each.channel, bytes: new Uint8Array(each.bytes) });
        t.deepEqual(
          read,
          sent.map(({ channel, bytes }) => ({ channel, bytes: new Uint8Array(bytes) })),
        );
      },
    ),
  );
  const large = Buffer.alloc(5);
  large.writeUInt32BE(frames.bytesMax + 1, 1);
  await t.throwsAsync(
    async () => {
      for await (const _ of readFrames(Readable.from([large]))) t.fail();
    },
    { message: /at most/ },
  );
});

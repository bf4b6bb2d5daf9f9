/** Following a log across broken connections, with a fake server. */
import test from 'ava';
import { ApiError, UnreachableError } from '../dist/errors.js';
import type { Http } from '../dist/http.js';
import { followLog } from '../dist/log-following.js';

interface Played {
  readonly lines: readonly string[];
  /** How the response ends. Default: normally. */
  readonly failure?: Error;
}

const broken = new UnreachableError('broken-off', 'http://here', 'the connection broke');
const absent = { lines: [], failure: new ApiError(404, {}) };
const at = (second: number, text: string): string => `2026-11-30T16:00:0${second}.000000000Z ${text}`;

/** Plays the responses in order, then responds that the pod does not exist. */
async function follow(answers: readonly Played[]) {
  const requested: string[] = [];
  const waitsMs: number[] = [];
  const http = {
    closing: new AbortController().signal,
    async *lines(path: string) {
      const { lines, failure } = answers[requested.push(path.replace(/^.*log\?timestamps=true&?/, '')) - 1] ?? absent;
      yield* lines;
      if (failure !== undefined) throw failure;
    },
  };
  const devices = { nowMs: () => 0, random: () => 1, sleep: async (ms: number) => void waitsMs.push(ms) };
  const received: string[] = [];
  let failure: unknown;
  try {
    const options = { tailLines: 2, signal: new AbortController().signal };
    for await (const line of followLog(http as unknown as Http, '/pod', options, devices)) received.push(line.replace(/^\S+ /, ''));
  } catch (error) {
    failure = error;
  }
  return { requested: requested.map((query) => decodeURIComponent(query)), received, waitsMs, failure };
}

test('a log that broke off goes on behind the line that was told last, also among lines of the same time', async (t) => {
  const { received, requested, failure } = await follow([
    { lines: [at(1, 'a'), at(2, 'b'), at(2, 'c')], failure: broken },
    { lines: [], failure: broken },
    { lines: [at(2, 'b'), at(2, 'c'), at(2, 'd'), at(3, 'e')] },
  ]);
  t.deepEqual(received, ['a', 'b', 'c', 'd', 'e']);
  const again = 'sinceTime=2026-11-30T16:00:02.000000000Z&follow=true';
  t.deepEqual(requested.slice(0, 3), ['tailLines=2&follow=true', again, again]);
  t.is(failure, undefined, 'it ends when the pod is gone');
});

test('when the container has been started again meanwhile, what it wrote before comes first', async (t) => {
  const { received, requested } = await follow([
    { lines: [at(1, 'a'), at(2, 'b')], failure: broken },
    { lines: [at(5, 'begins')] },
    { lines: [at(2, 'b'), at(3, 'ends')] },
    { lines: [at(5, 'begins'), at(6, 'goes on')] },
  ]);
  t.deepEqual(received, ['a', 'b', 'ends', 'begins', 'goes on']);
  t.regex(requested[2] ?? '', /^sinceTime=2026-11-30T16:00:02.*&previous=true$/);
});

test('a container without an end of its own, or that is about to start, keeps nobody from following', async (t) => {
  const refused = { lines: [], failure: new ApiError(400, { message: 'the container waits to start' }) };
  const { received, waitsMs } = await follow([
    { lines: [at(1, 'a')] },
    refused,
    { lines: [at(2, 'b')] },
    refused,
    { lines: [at(2, 'b'), at(3, 'c')] },
  ]);
  t.deepEqual(received, ['a', 'b', 'c']);
  t.deepEqual(waitsMs, [250, 500, 250, 250], 'soon after something was heard');
});

test('what another try would not change is told', async (t) => {
  const unknown = new ApiError(401, { message: 'the token is not known' });
  t.is((await follow([{ lines: [at(1, 'a')] }, { lines: [], failure: unknown }])).failure, unknown);
  const never = new ApiError(400, { message: 'the image cannot be pulled' });
  t.is((await follow([{ lines: [], failure: never }])).failure, never, 'before anything was told');
});

/** Delays before retries, with fake responses and a fake clock. */
import test from 'ava';
import { UnreachableError } from '../dist/errors.js';
import { Http, type ApiRequest } from '../dist/http.js';
import type { TransportRequest } from '../dist/transport.js';

interface Played {
  readonly status: number;
  readonly retryAfter?: string;
  readonly text?: string;
}

/** Plays the responses in order, repeating the last one. Waiting advances the fake clock, and rejects beyond the deadline. */
function play(answers: readonly Played[]) {
  const sent: TransportRequest[] = [];
  const waitsMs: number[] = [];
  let nowMs = 0;
  const http = new Http({
    server: 'http://here',
    token: () => 't',
    userAgent: 'test',
    attemptsMax: 4,
    closing: new AbortController().signal,
    devices: {
      nowMs: () => nowMs,
      random: () => 1,
      sleep: async (ms) => {
        waitsMs.push(ms);
        nowMs += ms;
        if (nowMs > 60_000) throw new DOMException('the time is over', 'TimeoutError');
      },
    },
    transport: {
      request: async (request) => {
        const { status, retryAfter, text = '{}' } = answers[Math.min(sent.push(request), answers.length) - 1] ?? { status: 500 };
        const body = (async function* () {
          yield new TextEncoder().encode(text);
        })();
        return { status, header: (name) => (name === 'retry-after' ? retryAfter : undefined), body };
      },
      openSocket: () => Promise.reject(new Error('no socket is played')),
      roomOptions: {},
      close: () => {},
    },
  });
  return { http, sent, waitsMs };
}

const keyed: ApiRequest = { method: 'POST', body: '{}', isRepeatable: true, headers: { 'idempotency-key': 'once' } };

test('a refusal that asks for more patience than the request has is the answer, at once', async (t) => {
  const { http, sent, waitsMs } = play([{ status: 429, retryAfter: '3600', text: '{"details":{"code":"TAP_REQUEST_KEYS_TOO_MANY"}}' }]);
  const { status, text } = await http.send('/x', keyed);
  t.is(status, 429);
  t.regex(text, /TAP_REQUEST_KEYS_TOO_MANY/);
  t.is(sent.length, 1);
  t.deepEqual(waitsMs, []);
});

test('a request whose time is over while it waits for another try is answered with the refusal that it heard', async (t) => {
  const { http, waitsMs } = play([{ status: 503, retryAfter: '30' }]);
  t.is((await http.send('/x')).status, 503);
  t.deepEqual(waitsMs, [30_250], 'what is left is less than is asked for');
  const late = play([{ status: 429, retryAfter: '60' }]);
  t.is((await late.http.send('/x')).status, 429);
  t.deepEqual(late.waitsMs, [60_250]);
});

test('a create whose first try still runs waits for its answer, and any other conflict is told at once', async (t) => {
  const running = play([{ status: 409, retryAfter: '1' }, { status: 201 }]);
  t.is((await running.http.send('/x', keyed)).status, 201);
  t.deepEqual(running.waitsMs, [1250]);
  const taken = play([{ status: 409 }, { status: 201 }]);
  t.is((await taken.http.send('/x', keyed)).status, 409);
});

test('a streamed answer that is a refusal and never ends is late, and its connection is let go of', async (t) => {
  const begun = Promise.withResolvers<AbortSignal>();
  const timers: { readonly over: AbortSignal; readonly end: () => void }[] = [];
  const http = new Http({
    server: 'http://here',
    token: () => 't',
    userAgent: 'test',
    attemptsMax: 4,
    closing: new AbortController().signal,
    devices: {
      nowMs: () => 0,
      random: () => 1,
      sleep: (_, over) =>
        new Promise((end, fail) => {
          timers.push({ over, end });
          over.addEventListener('abort', () => fail(over.reason as Error), { once: true });
        }),
    },
    transport: {
      request: async ({ signal }) => ({
        status: 403,
        header: () => undefined,
        body: (async function* () {
          yield new TextEncoder().encode('{');
          await new Promise((_, fail) => {
            signal.addEventListener('abort', () => fail(signal.reason as Error), { once: true });
            begun.resolve(signal);
          });
        })(),
      }),
      openSocket: () => Promise.reject(new Error('no socket is played')),
      roomOptions: {},
      close: () => {},
    },
  });
  const reading = http.lines('/x', new AbortController().signal).next();
  const signal = await begun.promise;
  const waiting = timers.filter(({ over }) => !over.aborted);
  t.is(waiting.length, 1, 'somebody looks at the time');
  for (const { end } of waiting) end();
  const error = await t.throwsAsync(reading, { instanceOf: UnreachableError });
  t.is(error.reason, 'deadline');
  t.true(signal.aborted);
});

/** Delays of a watch before it resumes, with fake connections. */
import test from 'ava';
import { UnreachableError } from '../dist/errors.js';
import type { Http } from '../dist/http.js';
import { watchPath } from '../dist/watch.js';

const bookmark = JSON.stringify({ type: 'BOOKMARK', object: { metadata: { name: '', resourceVersion: '2' } } });
const failure = (code: number) => JSON.stringify({ type: 'ERROR', object: { code } });

/** Plays the lines of each connection before it breaks, repeating the last one; returns the delays in between. */
async function waits(connections: readonly (readonly string[])[], count: number): Promise<number[]> {
  const made: number[] = [];
  const over = new AbortController();
  let opened = 0;
  const http = {
    closing: new AbortController().signal,
    async *lines() {
      yield* connections[Math.min(opened++, connections.length - 1)] ?? [];
      throw new UnreachableError('broken-off', 'http://here', 'the connection broke');
    },
  };
  const devices = {
    nowMs: () => 0,
    random: () => 1,
    sleep: async (ms: number, signal: AbortSignal): Promise<void> => {
      // Waits of more than a minute are those of the silence timer.
      if (ms > 60_000)
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
      made.push(ms);
      if (made.length === count) over.abort();
    },
  };
  for await (const _ of watchPath(http as unknown as Http, '/x', { since: '1', signal: over.signal }, devices));
  return made;
}

test('a quiet watch that heard bookmarks is taken up soon when it breaks, however often one broke before', async (t) => {
  t.deepEqual(await waits([[bookmark], [], [], [bookmark], [], []], 5), [250, 500, 1000, 250, 500]);
});

test('a watch that is refused again and again waits longer and longer', async (t) => {
  t.deepEqual(await waits([[failure(503)]], 4), [250, 500, 1000, 2000]);
});

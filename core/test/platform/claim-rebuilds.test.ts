import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { ClaimRebuilds } from '../../dist/platform/claim-rebuilds.js';
import type { ResourceEngine } from '../../dist/resources/engine.js';

const tap = (plugin: string, hook = 'admission.claim', mode: 'enforce' | 'shadow' = 'enforce') =>
  ({ hook, plugin, name: plugin, kinds: ['Widget'], mode, timeoutMs: 1000, failurePolicy: 'fail' }) as const;

function world() {
  const rounds: { readonly signal: AbortSignal; readonly end: (error?: Error) => void }[] = [];
  const reported: string[] = [];
  const engine = {
    name: 'platform',
    rebuildClaims: (signal: AbortSignal) => {
      const { promise, resolve, reject } = Promise.withResolvers<{ changed: number; refused: [] }>();
      signal.addEventListener('abort', () => reject(signal.reason));
      rounds.push({ signal, end: (error) => (error ? reject(error) : resolve({ changed: 1, refused: [] })) });
      return promise;
    },
  } as unknown as ResourceEngine;
  const say = (message: string): void => void reported.push(message);
  const log = { debug: say, info: say, warn: say, error: say };
  const stopping = new AbortController();
  const rebuilds = new ClaimRebuilds({ engines: () => [engine], log, signal: stopping.signal });
  return { rebuilds, rounds, reported, stopping };
}

test('objects are claimed for at the start, and again with every generation: claims may follow from what others are configured for', async (t) => {
  const { rebuilds, rounds, reported } = world();
  rebuilds.follow({ taps: [tap('quota'), tap('other', 'admission.validate'), tap('try', 'admission.claim', 'shadow')] });
  await setImmediate();
  t.is(rounds.length, 1);
  rounds[0]?.end();
  await rebuilds.idle();
  t.deepEqual(reported, ['objects from before the plugins as they are were claimed for']);
  rebuilds.follow({ taps: [tap('quota')] });
  await setImmediate();
  t.is(rounds.length, 2);
  rounds[1]?.end();
  await rebuilds.idle();
  rebuilds.follow({ taps: [] });
  await setImmediate();
  t.is(rounds.length, 3);
  rounds[2]?.end();
  await rebuilds.idle();
  rebuilds.follow({ taps: [] });
  await rebuilds.idle();
  t.is(rounds.length, 3, 'nobody claims any more');
});

test('nothing is gone through where nobody claims', async (t) => {
  const { rebuilds, rounds } = world();
  rebuilds.follow({ taps: [tap('other', 'admission.validate')] });
  await rebuilds.idle();
  t.is(rounds.length, 0);
});

test('a newer round ends an older one, a failed one is told, and a stop ends what goes on', async (t) => {
  const { rebuilds, rounds, reported, stopping } = world();
  rebuilds.follow({ taps: [tap('quota')] });
  await setImmediate();
  rebuilds.follow({ taps: [tap('quota'), tap('domains')] });
  await setImmediate();
  t.true(rounds[0]?.signal.aborted);
  t.is(rounds.length, 2);
  rounds[1]?.end(new Error('the store is away'));
  await rebuilds.idle();
  t.is(reported.length, 1);
  rebuilds.follow({ taps: [tap('quota')] });
  await setImmediate();
  stopping.abort(new Error('stop'));
  await rebuilds.idle();
  t.is(reported.length, 1);
});

import { followKind, type ObjectChange, type Resources } from '@tappaas/sdk';
import { Application } from '@tappaas/sdk/kinds';
import { VirtualClock } from '@tappaas/testing';
import test from 'ava';

type Batch = readonly ObjectChange<{ readonly metadata: { readonly namespace: string; readonly name: string } }>[];

const put = (name: string) => ({ type: 'put' as const, object: { metadata: { namespace: 'team-a', name } } });

/** Follows a source that plays `watches` in order, each with its batches and its end; returns what the follower received. */
function following(watches: readonly { readonly batches: readonly Batch[]; readonly fails?: string }[]) {
  const clock = new VirtualClock(0);
  const received: string[] = [];
  const stop = new AbortController();
  let turn = 0;
  const watch: Resources['watch'] = async function* () {
    const { batches, fails } = watches[turn++] ?? { batches: [] };
    for (const batch of batches) yield batch as never[];
    if (fails !== undefined) throw new Error(fails);
  };
  const log = { debug() {}, info() {}, error() {}, warn: (message: string) => void received.push(`warning: ${message}`) };
  const ended = followKind({ resources: { watch } as Resources, clock, log, signal: stop.signal }, Application, {
    put: ({ metadata }) => void received.push(`put ${metadata.name}`),
    removed: ({ name }) => void received.push(`gone ${name}`),
    problem: (reason) => void received.push(reason === undefined ? 'known' : `problem: ${reason}`),
  });
  return { clock, received, stop, ended };
}

test('a watch that fails is told, begun anew, and what has gone meanwhile is told, too', async (t) => {
  const { clock, received, ended } = following([
    { batches: [[put('a'), put('b')]], fails: 'the store is away' },
    { batches: [[put('b')]] },
  ]);
  await clock.advance(499);
  t.deepEqual(received.splice(0), [
    'put a',
    'put b',
    'known',
    'problem: the store is away',
    'warning: Application objects cannot be followed now',
  ]);
  await clock.advance(1);
  await ended;
  t.deepEqual(received, ['gone a', 'put b', 'known']);
});

test('a watch that ends with the platform ends the following without a word', async (t) => {
  const { received, ended } = following([{ batches: [[put('a')]] }]);
  await ended;
  t.deepEqual(received, ['put a', 'known']);
});

test('who stops while a watch waits to be begun anew hears nothing more', async (t) => {
  const { clock, received, stop, ended } = following([{ batches: [], fails: 'the store is away' }, { batches: [[put('a')]] }]);
  await clock.advance(100);
  stop.abort();
  await ended;
  t.false(received.includes('put a'));
});

import test from 'ava';
import { stopStep } from '../../dist/platform/stop-step.js';
import { VirtualClock } from '../virtual-clock.ts';

function world() {
  const clock = new VirtualClock();
  const reported: unknown[] = [];
  const quiet = () => undefined;
  const error = (message: string, fields?: object) => void reported.push([message, (fields as { what: string }).what]);
  return { clock, reported, parts: { clock, log: { debug: quiet, info: quiet, warn: quiet, error } } };
}

test('a part that never stops is named and abandoned', async (t) => {
  const { clock, reported, parts } = world();
  const stopping = stopStep({ what: 'controllers', stop: () => new Promise(() => undefined), limitMs: 500 }, parts);
  await clock.advance(499);
  t.deepEqual(reported, []);
  await clock.advance(1);
  await stopping;
  t.deepEqual(reported, [['something did not stop in time and is left behind', 'controllers']]);
});

test('what fails to stop is named, what stops in time is not, and no timer is left', async (t) => {
  const { clock, reported, parts } = world();
  await stopStep({ what: 'api', stop: () => Promise.reject(new Error('no')) }, parts);
  await stopStep({ what: 'clusters', stop: async () => undefined }, parts);
  t.deepEqual(reported, [['something did not stop cleanly', 'api']]);
  t.is(clock.sleeping, 0);
});

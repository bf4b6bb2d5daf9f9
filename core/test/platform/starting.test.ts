import test from 'ava';
import { Starting, type PlatformOptions } from '../../dist/platform/starting.js';
import { createLog } from '../../dist/telemetry/log.js';
import { VirtualClock } from '../virtual-clock.ts';

function starting() {
  const clock = new VirtualClock();
  const giveUp = new AbortController();
  const log = createLog({ format: 'json', level: 'info', clock, write: () => true });
  const stopped: string[] = [];
  const start = new Starting({ clock, log, giveUp: giveUp.signal } as unknown as PlatformOptions);
  const begin = (what: string) => start.onStop({ what, stop: async () => void stopped.push(what) });
  return { start, begin, giveUp, stopped };
}

test('a start that is given up is stopped in reverse at once, and with it what its next step had begun; nothing more begins', async (t) => {
  const { start, begin, giveUp, stopped } = starting();
  const { promise: untilTheStop, resolve: goOn } = Promise.withResolvers<void>();
  const run = start.orStop(async () => {
    begin('store');
    begin('api');
    start.signal.addEventListener('abort', () => goOn());
    await untilTheStop;
    begin('controllers');
    begin('never');
    return 'started';
  });
  giveUp.abort(new Error('told to stop'));
  await t.throwsAsync(run, { message: 'told to stop' });
  t.deepEqual(stopped, ['api', 'store', 'controllers']);
});

test('a start that was cancelled before it began is not run', async (t) => {
  const { start, begin, giveUp, stopped } = starting();
  giveUp.abort(new Error('told to stop'));
  await t.throwsAsync(start.orStop(async () => begin('store')));
  t.deepEqual(stopped, []);
});

test('once started, giving up comes too late', async (t) => {
  const { start, begin, giveUp, stopped } = starting();
  t.is(
    await start.orStop(async () => {
      begin('store');
      return 'started';
    }),
    'started',
  );
  giveUp.abort(new Error('told to stop'));
  await Promise.resolve();
  t.deepEqual(stopped, []);
});

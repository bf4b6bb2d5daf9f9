import test from 'ava';
import { repeatedSignalMsMax, stopAfterErrorMsMax, untilShutdown } from '../../dist/platform/ending.js';
import { createLog } from '../../dist/telemetry/log.js';
import { VirtualClock } from '../virtual-clock.ts';

function processWith(pluginOf: (error: unknown) => string | undefined = () => undefined) {
  const clock = new VirtualClock();
  const signals = new Map<string, () => void>();
  const exits: number[] = [];
  let uncaught: (error: unknown) => void = () => {};
  let text = '';
  let terminal: 'none' | 'open' | 'closed' = 'none';
  let reloads = 0;
  const log = createLog({ format: 'json', level: 'info', clock, write: (line) => (text += line) });
  let code: number | undefined;
  const reported = untilShutdown({
    onSignal: (signal, received) => void signals.set(signal, received),
    onUncaught: (received) => (uncaught = received),
    exit: (ended) => void exits.push(ended),
    pluginOf,
    hasLostTerminal: () => terminal === 'closed',
    reload: () => void (reloads += 1),
    log,
    clock,
  }).then((ended) => (code = ended));
  return {
    clock,
    exits,
    reported,
    reloads: () => reloads,
    at: (state: typeof terminal) => void (terminal = state),
    code: () => code,
    signal: (name: string) => signals.get(name)?.(),
    fail: (error: unknown) => uncaught(error),
    lines: () =>
      text
        .trimEnd()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { level: string; message: string; plugin?: string; error?: { message: string } }),
  };
}

for (const name of ['SIGINT', 'SIGTERM']) {
  test(`${name} ends the platform in order, and a second one that comes later at once, saying what it leaves behind`, async (t) => {
    const run = processWith();
    run.signal(name);
    t.is(await run.reported, 0);
    await run.clock.advance(repeatedSignalMsMax);
    t.deepEqual([run.exits, run.lines()], [[], []]);
    run.signal('SIGINT');
    t.deepEqual(run.exits, [1]);
    t.regex(run.lines()[0]?.message ?? '', /may continue: to end it, start the platform again and stop it once/);
  });
}

test('signals that come together are one wish: npm passes on what the terminal has told already', async (t) => {
  const run = processWith();
  run.signal('SIGINT');
  run.signal('SIGINT');
  await run.clock.advance(repeatedSignalMsMax - 1);
  run.signal('SIGTERM');
  t.is(await run.reported, 0);
  t.deepEqual(run.exits, []);
});

test('SIGHUP means a reload, and a stop once the terminal of the start has been closed', async (t) => {
  const run = processWith();
  for (const state of ['none', 'open'] as const) {
    run.at(state);
    run.signal('SIGHUP');
  }
  t.deepEqual([run.reloads(), run.code()], [2, undefined]);
  run.at('closed');
  run.signal('SIGHUP');
  t.is(await run.reported, 0);
  t.is(run.reloads(), 2);
});

test('an error of a plugin is told with its name, as often as it comes, and ends nothing', async (t) => {
  const run = processWith(() => 'careless');
  run.fail(new Error('lost in a timer'));
  run.fail('not even an error');
  await run.clock.advance(stopAfterErrorMsMax * 2);
  t.deepEqual(
    run.lines().map(({ level, plugin }) => [level, plugin]),
    [
      ['error', 'careless'],
      ['error', 'careless'],
    ],
  );
  t.is(run.lines()[0]?.error?.message, 'lost in a timer');
  t.is(run.code(), undefined);
  t.deepEqual(run.exits, []);
});

test('an error of the platform itself is told once and ends it with an exit code that is not 0', async (t) => {
  const run = processWith();
  run.fail(new Error('a fault of the platform'));
  run.fail(new Error('the log cannot be written'));
  t.is(await run.reported, 1);
  t.deepEqual(
    run.lines().map(({ error }) => error?.message),
    ['a fault of the platform'],
  );
  t.deepEqual(run.exits, []);
});

test('a stop that an error of the platform keeps from ending is cut off', async (t) => {
  const run = processWith();
  run.fail(new Error('a fault of the platform'));
  await run.clock.advance(stopAfterErrorMsMax);
  t.deepEqual(run.exits, [1]);
});

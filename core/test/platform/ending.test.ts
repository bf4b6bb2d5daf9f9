import test from 'ava';
import { stopAfterErrorMsMax, untilToldToEnd } from '../../dist/platform/ending.js';
import { createLog } from '../../dist/telemetry/log.js';
import { VirtualClock } from '../virtual-clock.ts';

function processWith(pluginOf: (error: unknown) => string | undefined = () => undefined) {
  const clock = new VirtualClock();
  const signals = new Map<string, () => void>();
  const exits: number[] = [];
  let uncaught: (error: unknown) => void = () => {};
  let text = '';
  const log = createLog({ format: 'json', level: 'info', clock, write: (line) => (text += line) });
  let code: number | undefined;
  const told = untilToldToEnd({
    onSignal: (signal, heard) => void signals.set(signal, heard),
    onUncaught: (heard) => (uncaught = heard),
    exit: (ended) => void exits.push(ended),
    pluginOf,
    log,
    clock,
  }).then((ended) => (code = ended));
  return {
    clock,
    exits,
    told,
    code: () => code,
    signal: (name: string) => signals.get(name)?.(),
    fail: (error: unknown) => uncaught(error),
    lines: () =>
      text
        .trimEnd()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { level: string; plugin?: string; error?: { message: string } }),
  };
}

for (const name of ['SIGINT', 'SIGTERM']) {
  test(`${name} ends the platform in order, and a second one at once`, async (t) => {
    const run = processWith();
    run.signal(name);
    t.is(await run.told, 0);
    t.deepEqual(run.exits, []);
    run.signal('SIGINT');
    t.deepEqual(run.exits, [1]);
  });
}

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
  t.is(await run.told, 1);
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

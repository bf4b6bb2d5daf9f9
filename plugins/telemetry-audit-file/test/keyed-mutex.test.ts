import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import { KeyedMutex } from '../dist/keyed-mutex.js';

const pieces = () => {
  const mutex = new KeyedMutex();
  const begun: string[] = [];
  const run = (name: string, key: string, signal?: AbortSignal) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const begin = () => {
      begun.push(name);
      return promise;
    };
    return { result: mutex.run(key, begin, signal), finish: () => resolve(name), fail: () => reject(new Error(name)) };
  };
  return { begun, run };
};

test('work on a key waits for the earlier work on it, whether that fails or not; other keys do not wait', async (t) => {
  const { begun, run } = pieces();
  const [first, second, third, other] = [run('1', 'a'), run('2', 'a'), run('3', 'a'), run('4', 'b')];
  await nextTurn();
  t.deepEqual(begun, ['1', '4']);
  first.fail();
  await t.throwsAsync(first.result, { message: '1' });
  await nextTurn();
  t.deepEqual(begun, ['1', '4', '2']);
  second.finish();
  third.finish();
  other.finish();
  t.deepEqual(await Promise.all([second.result, third.result, other.result]), ['2', '3', '4']);
  t.deepEqual(begun, ['1', '4', '2', '3']);
});

test('who gives up does not have its work run, and who comes after it still waits for what is under way', async (t) => {
  const { begun, run } = pieces();
  const hanging = run('1', 'a');
  const giveUp = new AbortController();
  const given = run('2', 'a', giveUp.signal);
  const later = run('3', 'a', new AbortController().signal);
  await nextTurn();
  giveUp.abort();
  await t.throwsAsync(given.result, { name: 'AbortError' });
  await nextTurn();
  t.deepEqual(begun, ['1']);
  hanging.finish();
  later.finish();
  t.is(await later.result, '3');
  t.deepEqual(begun, ['1', '3']);
});

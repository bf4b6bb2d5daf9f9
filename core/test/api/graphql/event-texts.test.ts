import test from 'ava';
import { EventTexts, type Audience, type EventText } from '../../../dist/api/graphql/event-texts.js';
import { realClock } from '../running-server.ts';

/** Texts whose clock stands still, of one object under one key; each making is finished by the test. */
function eventTexts() {
  const shared = {};
  const clock = { ...realClock, nowMs: () => state.nowMs };
  const texts = new EventTexts(clock);
  const makings = Array.from({ length: 4 }, () => Promise.withResolvers<EventText>());
  const state = { nowMs: 0, made: 0 };
  const make = (): Promise<EventText> => {
    state.made += 1;
    return makings[state.made - 1]?.promise ?? Promise.reject(new RangeError('made too often'));
  };
  const finish = (index: number, goodFor: Audience): void => makings[index]?.resolve({ text: `${index}`, digest: '', goodFor });
  const begin = () => {
    const age = texts.begin();
    return async () => (await texts.once(shared, 'key', age, make)).text;
  };
  return { begin, finish, state };
}

test('what says only what its object says is made once, for those who begin later, too', async (t) => {
  const { begin, finish, state } = eventTexts();
  const first = begin()();
  finish(0, 'everybody');
  t.is(await first, '0');
  state.nowMs = 3_600_000;
  t.is(await begin()(), '0');
  t.is(state.made, 1);
});

test('what more was read for is told to those who had begun before, and for five seconds', async (t) => {
  const { begin, finish, state } = eventTexts();
  const [first, second, third] = [begin(), begin(), begin()];
  const reported = [first(), second()];
  finish(0, 'present');
  t.deepEqual(await Promise.all(reported), ['0', '0']);
  state.nowMs = 4_999;
  t.is(await third(), '0');
  state.nowMs = 5_000;
  const late = third();
  finish(1, 'present');
  t.is(await late, '1');
});

test('all who begin while more is read for another share what is read next', async (t) => {
  const { begin, finish, state } = eventTexts();
  const first = begin()();
  const rest = [begin()(), begin()(), begin()()];
  finish(0, 'present');
  t.is(await first, '0');
  finish(1, 'present');
  t.deepEqual(await Promise.all(rest), ['1', '1', '1']);
  t.is(state.made, 2);
});

test('a subscriber receives an event however long its text takes to make', async (t) => {
  const { begin, finish, state } = eventTexts();
  const subscribers = [begin(), begin()];
  const reported = subscribers.map((ask) => ask());
  state.nowMs = 60_000;
  finish(0, 'present');
  t.deepEqual(await Promise.all(reported), ['0', '0']);
});

test('a failure is reported to the subscribers that wait for it, and not to later ones', async (t) => {
  const { begin, finish } = eventTexts();
  const subscribers = [begin(), begin()];
  const reported = subscribers.map((ask) => ask());
  finish(0, 'waiting');
  t.deepEqual(await Promise.all(reported), ['0', '0']);
  const again = subscribers[0]?.();
  finish(1, 'everybody');
  t.is(await again, '1');
});

test('what breaks off because one leaves is made again for the others, once', async (t) => {
  const { begin, finish, state } = eventTexts();
  const [first, ...rest] = [begin(), begin(), begin()].map((ask) => ask());
  finish(0, 'nobody');
  t.is(await first, '0');
  finish(1, 'everybody');
  t.deepEqual(await Promise.all(rest), ['1', '1']);
  t.is(state.made, 2);
});

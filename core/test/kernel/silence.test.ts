import test from 'ava';
import { Silence } from '../../dist/kernel/guard/silence.js';

const lookMs = 20;

/** Looks every 20 ms from `fromMs` to `toMs`. */
function lookOn(silence: Silence, fromMs: number, toMs: number): void {
  for (let ms = fromMs; ms <= toMs; ms += lookMs) silence.look(ms);
}

test('silence of a loop that holds its processor is its own', (t) => {
  const silence = new Silence(0, lookMs, () => ({ loopMs: 0, watcherMs: 0 }));
  lookOn(silence, lookMs, 600);
  t.is(silence.lastsMs, 600);
  t.is(silence.ownMs, 600);
});

test('standing in line for a processor is nobody’s doing', (t) => {
  let loopMs = 7000;
  const silence = new Silence(0, lookMs, () => ({ loopMs, watcherMs: 0 }));
  lookOn(silence, lookMs, 300);
  loopMs += 450;
  lookOn(silence, 320, 600);
  t.is(silence.lastsMs, 600);
  t.is(silence.ownMs, 150);
});

test('that this thread stands in line excuses nobody', (t) => {
  let watcherMs = 100;
  const silence = new Silence(0, lookMs, () => ({ loopMs: 0, watcherMs }));
  lookOn(silence, lookMs, 200);
  watcherMs += 400;
  silence.look(620);
  t.is(silence.ownMs, 620);
});

test('time in which the process was stopped is nobody’s doing', (t) => {
  let loopMs = 0;
  const silence = new Silence(0, lookMs, () => ({ loopMs, watcherMs: 5 }));
  lookOn(silence, lookMs, 200);
  silence.look(900);
  t.is(silence.ownMs, 220);
  loopMs += 50;
  lookOn(silence, 920, 1100);
  t.is(silence.ownMs, 370);
});

test('every beat begins anew, and a loop that turns costs no question', (t) => {
  let requested = 0;
  const silence = new Silence(0, lookMs, () => {
    requested += 1;
    return { loopMs: 0, watcherMs: 0 };
  });
  for (let ms = 0; ms <= 1000; ms += 60) {
    lookOn(silence, ms, ms + 60);
    t.is(silence.ownMs, 60);
    silence.end();
  }
  t.is(requested, 0);
});

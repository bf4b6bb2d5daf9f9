import test from 'ava';
import { createStages } from '../../dist/cli/stages.js';

function written(isTTY: boolean, quiet = false) {
  const texts: string[] = [];
  const outlet = { isTTY, columns: 40, write: (text: string) => void texts.push(text) };
  return { stages: createStages(outlet, () => 0, quiet), text: () => texts.join('') };
}

test('off a terminal a log says what a stage waits for, once for each reason', (t) => {
  const { stages, text } = written(false);
  stages.running('rollout');
  for (const reason of ['web crashes', 'web crashes', 'no node', 'web crashes']) stages.waiting(reason);
  stages.reached('serving', 0);
  t.deepEqual(text().split('\n').slice(0, 2), ['  … web crashes', '  … no node']);
  t.is(text().split('\n').length, 4);
});

test('a reason that keeps changing does not fill the log', (t) => {
  const { stages, text } = written(false);
  for (let second = 0; second < 1_000; second += 1) stages.waiting(`waits for ${second} s`);
  t.is(text().trimEnd().split('\n').length, 50);
});

test('on a terminal one line is written over, and programs are told nothing', (t) => {
  const { stages, text } = written(true);
  stages.waiting('web crashes');
  stages.waiting('no node');
  t.false(text().includes('\n'));
  const quiet = written(false, true);
  quiet.stages.waiting('web crashes');
  t.is(quiet.text(), '');
});

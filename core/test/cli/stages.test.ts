import test from 'ava';
import { createStages } from '../../dist/cli/stages.js';

function written(isTTY: boolean, quiet = false) {
  const texts: string[] = [];
  const outlet = { isTTY, columns: 40, write: (text: string) => void texts.push(text) };
  return { stages: createStages(outlet, () => 0, quiet), text: () => texts.join('') };
}

test('off a terminal each stage that ends is one line of the log, whatever it waited for', (t) => {
  const { stages, text } = written(false);
  stages.running('build shop-1: it has not begun');
  stages.running('build shop-1: installing');
  stages.reached('built', 0);
  for (let second = 0; second < 1_000; second += 1) stages.running(`waits for ${second} s`);
  stages.reached('serving', 0);
  t.deepEqual(text().split('\n'), ['  ✓ built (0 ms)', '  ✓ serving (0 ms)', '']);
});

test('on a terminal one line is written over, and programs are told nothing', (t) => {
  const { stages, text } = written(true);
  stages.running('web crashes');
  stages.running('no node');
  t.false(text().includes('\n'));
  const quiet = written(false, true);
  quiet.stages.reached('built');
  t.is(quiet.text(), '');
});

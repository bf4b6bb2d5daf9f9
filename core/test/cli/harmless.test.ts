import test from 'ava';
import { eventTable } from '../../dist/cli/event-view.js';
import { print, printEach } from '../../dist/cli/print.js';
import { createStages } from '../../dist/cli/stages.js';

/** Clears the screen, names the window, goes back in the line, turns the order round; the last does as much in eight bits. */
const hostile = 'ends\u001b[2J\u001b]0;x\u0007\r\u202e\u009b2J';
const writtenOut = String.raw`ends\u001b[2J\u001b]0;x\u0007\u000d\u202e\u009b2J`;

function outlet() {
  const texts: string[] = [];
  return { texts, stdout: { isTTY: true, columns: 200, write: (text: string | Uint8Array) => void texts.push(String(text)) } };
}

test('a table shows control characters of others written out, and no cell begins a line', (t) => {
  const about = {
    metadata: { namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z', resourceVersion: '1' },
    involvedObject: { kind: 'Application', name: 'shop' },
    message: `${hostile}\nshop   Ready`,
  };
  const table = eventTable([about], Date.UTC(2026));
  t.true(table.includes(`${writtenOut}\\u000ashop   Ready\n`), table);
  t.is(table.split('\n').length, 3);
});

test('so does what a stage of a deployment waits for', (t) => {
  const { texts, stdout } = outlet();
  const stages = createStages(stdout, () => 0, false);
  stages.running(hostile);
  t.deepEqual(texts, [`  … ${writtenOut}`]);
});

test('text for people keeps its line breaks, and JSON keeps its value', async (t) => {
  const { texts, stdout } = outlet();
  const invocation = (output: 'table' | 'json') => ({ output, terminal: { stdout } }) as unknown as Parameters<typeof print>[0];
  await print(invocation('table'), {}, () => `one\n\t${hostile}\n`);
  t.is(texts.pop(), `one\n\t${writtenOut}\n`);
  for (const printed of [print, printEach]) {
    await printed(invocation('json'), { hostile }, () => '');
    const text = texts.pop() ?? '';
    t.false(/[\u0080-\u009f\u202e]/.test(text), text);
    t.deepEqual(JSON.parse(text), { hostile });
  }
});

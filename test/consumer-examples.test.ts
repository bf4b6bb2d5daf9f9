/** The examples for consumers do what their pages say: what is printed matches the text block below each. */
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  canRunExamples,
  ExampleRunner,
  examplesOfFile,
  expectedOf,
  laptopHome,
  pagesOf,
  ranOutside,
  runExamplesOf,
  type Example,
} from './page-examples.ts';
import { root } from './platform-process.ts';

const example = canRunExamples ? test.serial : test.serial.skip;
let runner: ExampleRunner;
const started: (() => Promise<unknown>)[] = [];

test.before('the platform of the first page runs, with its application', async (t) => {
  t.timeout(180_000);
  const home = await laptopHome({ first: join(root, 'examples/hello') });
  started.push(() => home.remove());
  await symlink(join(root, 'examples'), join(home.directory, 'examples'));
  const platform = await home.start();
  started.push(() => platform.stop());
  runner = new ExampleRunner(home, platform);
});

test.after.always('the platform is stopped and its directory removed', async () => {
  for (const stop of started.toReversed()) await stop();
});

async function runInOrder(t: ExecutionContext, commands: readonly Example[]): Promise<void> {
  t.timeout(300_000);
  const outputs = await runner.shell(commands);
  for (const [index, each] of commands.entries()) {
    const output = outputs[index] ?? '';
    t.regex(output, expectedOf(each), each.code);
    if (each.expected.length === 0) t.notRegex(output, /"status":"Failure"|"errors":\[/, each.code);
  }
}

for (const page of ranOutside) {
  const commands = examplesOfFile(page, ['sh']).filter(({ isMarked }) => !isMarked);
  example(`the commands of ${page} do what the page says`, (t) => runInOrder(t, commands));
}

for (const page of pagesOf('consumers')) {
  const commands = runExamplesOf(page, ['sh']);
  if (commands.length > 0) {
    example(`the examples of ${page} do what the page says`, (t) => runInOrder(t, commands));
  }
  for (const [index, each] of runExamplesOf(page, ['js', 'ts', 'graphql']).entries()) {
    example(`program ${index + 1} of ${page} does what the page says`, async (t) => {
      t.timeout(180_000);
      const name = `${page.replace(/\W/g, '-')}-${index + 1}`;
      t.true(each.expected.length > 0, `it says what it prints: ${each.code}`);
      const printed = await (each.language === 'graphql' ? runner.graphql(each, name) : runner.program(each, name));
      t.regex(printed, expectedOf(each), each.code);
    });
  }
}

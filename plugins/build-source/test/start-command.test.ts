import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { findStart, shell } from '../dist/start-command.js';

const scratch = await mkdtemp(join(tmpdir(), 'tappaas-start-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

async function directoryWith(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(scratch, 'case-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

const cases: readonly (readonly [string, Readonly<Record<string, string>>, readonly string[], string])[] = [
  [
    'a Procfile wins over package.json',
    { Procfile: 'worker: x\nweb: node a.js\n', 'package.json': '{"scripts":{"start":"node b.js"}}' },
    ['node', 'a.js'],
    'Procfile "web"',
  ],
  [
    'the start script of package.json is found',
    { 'package.json': '{"scripts":{"start":"node server.js --fast"}}' },
    ['node', 'server.js', '--fast'],
    'package.json "start"',
  ],
  [
    'a script with shell syntax runs in a shell',
    { 'package.json': '{"scripts":{"start":"A=1 node x.js && echo $A"}}' },
    ['/bin/sh', '-c', 'A=1 node x.js && echo $A'],
    'package.json "start"',
  ],
  ['without a script, main is run', { 'package.json': '{"main":"lib/main.js"}' }, ['node', 'lib/main.js'], 'package.json "main"'],
  ['broken JSON does not hide server.js', { 'package.json': '{', 'server.js': '' }, ['node', 'server.js'], 'server.js'],
];

for (const [title, files, command, foundIn] of cases) {
  test(title, async (t) => {
    t.deepEqual(await findStart(await directoryWith(files)), { command, foundIn });
  });
}

test('where nothing says what to run, nothing is guessed', async (t) => {
  t.is(await findStart(await directoryWith({ 'readme.txt': '' })), undefined);
});

test('an assignment before a command needs a shell', (t) => {
  t.deepEqual(shell('PORT=1 node a.js'), ['/bin/sh', '-c', 'PORT=1 node a.js']);
});

test('a package.json that is no JSON is told, where nothing else says what to run', async (t) => {
  const error = await t.throwsAsync(findStart(await directoryWith({ 'package.json': '{ "scripts": oops' })), {
    code: 'BUILD_SOURCE_UNREADABLE',
  });
  t.regex(error?.message ?? '', /^package\.json is not JSON: /);
});

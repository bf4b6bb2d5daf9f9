import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { lacksModules } from '../dist/lacks-modules.js';

for (const [title, packageJson, hasModules, expected] of [
  ['dependencies without node_modules are missed', '{ "dependencies": { "express": "5" } }', false, true],
  ['dependencies that were sent along are there', '{ "dependencies": { "express": "5" } }', true, false],
  ['what only development needs is not missed', '{ "devDependencies": { "ava": "8" } }', false, false],
  ['a package.json that cannot be read says nothing of modules', '{ "dependencies": ', false, false],
  ['source without a package.json needs none', undefined, false, false],
] as const) {
  test(title, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'tappaas-modules-'));
    t.teardown(() => rm(directory, { recursive: true, force: true }));
    if (packageJson !== undefined) await writeFile(join(directory, 'package.json'), packageJson);
    if (hasModules) await mkdir(join(directory, 'node_modules'));
    t.is(await lacksModules(directory), expected);
  });
}

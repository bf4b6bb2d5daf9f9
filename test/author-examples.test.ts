/** The examples for authors that are no whole package start on the real kernel; packages are in third-party-plugin.test.ts. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { platformServices } from '@tappaas/sdk';
import { definitionOf } from '@tappaas/sdk/definitions';
import { load, startTestKernel } from '@tappaas/testing';
import test from 'ava';
import { pagesOf, runExamplesOf } from './page-examples.ts';
import { root } from './platform-process.ts';

let scratch: string;

test.before('a directory from which the packages are found', async () => {
  scratch = await mkdtemp(join(root, 'test', '.authors-'));
});

test.after.always('it is removed', () => rm(scratch, { recursive: true, force: true }));

/** Of the platform, for plugins that need them. */
const services = [
  [platformServices.sealing, { seal: async (text: string) => text, open: async (text: string) => text }],
  [platformServices.audit, { record: async () => {} }],
] as const;

for (const page of pagesOf('authors')) {
  for (const [index, { code }] of runExamplesOf(page, ['ts'])
    .filter(({ file }) => file === undefined)
    .entries()) {
    const isTest = code.includes("from 'node:test'");
    test(`example ${index + 1} of ${page} ${isTest ? 'passes' : 'starts'}`, async (t) => {
      const path = join(scratch, `${page.replace(/\W/g, '-')}-${index + 1}.ts`);
      await writeFile(path, code);
      if (isTest) {
        const { status, stdout } = spawnSync(process.execPath, ['--test', path], { encoding: 'utf8' });
        t.is(status, 0, stdout);
        return;
      }
      const { default: plugin } = (await import(path)) as { readonly default: Parameters<typeof load>[0] };
      const example = definitionOf(plugin, 'plugin')?.example;
      const kernel = await startTestKernel({ plugins: [load(plugin, example)], services });
      t.teardown(() => kernel.stop());
      await kernel.advance(10_000);
      t.deepEqual(
        kernel.log.filter(({ level }) => level === 'error'),
        [],
      );
    });
  }
}

import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import uiGraphiql from '../dist/index.js';
import { pageAssets } from '../dist/assets.js';

for (const { title, run } of conformance.plugin(() => load(uiGraphiql))) test(title, (t) => t.notThrowsAsync(run));

test('every file that the page names is there, and none of it is inline or of another host', async (t) => {
  const files = new Map(pageAssets().map(({ name, read }) => [name, read]));
  for (const [name, read] of files) t.true((await read()).byteLength > 100, name);
  const page = Buffer.from((await files.get('explore.html')?.()) ?? []).toString();
  const named = [...page.matchAll(/(?:src|href)="(?<path>[^"]*)"/g)].map(({ groups }) => groups?.['path'] ?? '');
  t.deepEqual(
    named.filter((path) => path !== 'data:,' && !files.has(path)),
    [],
  );
  t.notRegex(page, /<style|<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=/);
});

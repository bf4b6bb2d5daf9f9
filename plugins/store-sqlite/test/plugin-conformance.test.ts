import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import storeSqlite from '../dist/index.js';

const scratch = await mkdtemp(join(tmpdir(), 'store-sqlite-plugin-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

const make = async () => load(storeSqlite, { directory: await mkdtemp(join(scratch, 'case-')) });
// Serial, since each case has its own writer's thread.
for (const { title, run } of conformance.plugin(make)) test.serial(title, (t) => t.notThrowsAsync(run));

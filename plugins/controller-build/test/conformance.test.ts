import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import controllerBuild from '../dist/index.js';

const scratch = await mkdtemp(join(tmpdir(), 'controller-build-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

const make = () => load(controllerBuild, { directory: join(scratch, 'builds'), images: join(scratch, 'images') });
for (const { title, run } of conformance.plugin(make)) test(title, (t) => t.notThrowsAsync(run));

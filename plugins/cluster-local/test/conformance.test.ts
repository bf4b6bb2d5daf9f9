import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import clusterLocal from '../dist/index.js';
import { freePort } from './support/free-port.ts';

const httpPort = await freePort();
const scratch = await mkdtemp(join(tmpdir(), 'cluster-local-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

const make = async () => {
  const directory = await mkdtemp(join(scratch, 'case-'));
  return load(clusterLocal, { directory, images: join(directory, 'images'), httpPort }, { id: 'local' });
};
// One after the other: all would listen on the same port.
for (const { title, run } of conformance.plugin(make)) test.serial(title, (t) => t.notThrowsAsync(run));

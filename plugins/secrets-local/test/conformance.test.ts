import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import secretsLocal from '../dist/index.js';
import { openSecretFiles } from '../dist/secret-files.js';

const scratch = await mkdtemp(join(tmpdir(), 'secrets-local-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

const existing = { store: 'secrets', path: 'shop/database' };
const absent = { store: 'secrets', path: 'shop/nothing' };
const make = async () => {
  const folder = await mkdtemp(join(scratch, 'case-'));
  const config = { directory: join(folder, 'secrets'), keyFile: join(folder, 'keys/secrets.key'), secretBytesMax: 100_000 };
  const store = await openSecretFiles(config);
  const { signal } = new AbortController();
  await store.write?.(existing, { password: new TextEncoder().encode('hush') }, undefined, { signal } as never);
  return { plugin: load(secretsLocal, config, { id: 'secrets' }), existing, absent };
};

for (const { title, run } of conformance.secretStore(make)) test(`as a store: ${title}`, (t) => t.notThrowsAsync(run));
for (const { title, run } of conformance.plugin(make)) test(title, (t) => t.notThrowsAsync(run));

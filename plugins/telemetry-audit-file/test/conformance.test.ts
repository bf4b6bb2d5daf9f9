import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import auditFile from '../dist/index.js';

const scratch = await mkdtemp(join(tmpdir(), 'audit-file-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

const make = async () => ({ plugin: load(auditFile, { directory: await mkdtemp(join(scratch, 'case-')) }, { id: 'audit' }) });
const makeSmall = async () => ({
  plugin: load(auditFile, { directory: await mkdtemp(join(scratch, 'case-')), fileBytesMax: 4_096 }, { id: 'audit' }),
});

for (const { title, run } of conformance.auditSink(make)) test(`as a sink: ${title}`, (t) => t.notThrowsAsync(run));
for (const { title, run } of conformance.auditSink(makeSmall)) test(`as a sink of small files: ${title}`, (t) => t.notThrowsAsync(run));
for (const { title, run } of conformance.plugin(make)) test(title, (t) => t.notThrowsAsync(run));

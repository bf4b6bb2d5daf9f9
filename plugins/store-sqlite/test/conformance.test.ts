import { conformance } from '@tappaas/testing';
import test from 'ava';
import { sqliteHarness } from './sqlite-harness.ts';

// Serial, since each case has its own writer's thread.
for (const { title, run } of conformance.store(() => sqliteHarness())) test.serial(title, (t) => t.notThrowsAsync(run));

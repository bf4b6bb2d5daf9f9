import { conformance } from '@tappaas/testing';
import test from 'ava';
import { sqliteHarness } from './sqlite-harness.ts';

// One after the other: each case has a writer's thread of its own.
for (const { title, run } of conformance.store(() => sqliteHarness())) test.serial(title, (t) => t.notThrowsAsync(run));

import test from 'ava';
import { storeConformance } from '../../../sdk/testing/dist/conformance/store.js';
import { sqliteHarness } from './sqlite-harness.ts';

// One after the other: each case has a writer's thread of its own.
for (const { title, run } of storeConformance(() => sqliteHarness())) test.serial(title, (t) => t.notThrowsAsync(run));

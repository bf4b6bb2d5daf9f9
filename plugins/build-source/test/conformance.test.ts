import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import buildSource from '../dist/index.js';

for (const { title, run } of conformance.plugin(() => load(buildSource))) test(title, (t) => t.notThrowsAsync(run));

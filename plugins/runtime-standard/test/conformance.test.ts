import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import runtimeStandard from '../dist/index.js';

const make = () => load(runtimeStandard);
for (const { title, run } of [...conformance.plugin(make), ...conformance.runtime(make)]) test(title, (t) => t.notThrowsAsync(run));

import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import schedulingResources from '../dist/index.js';

const make = () => load(schedulingResources, { extendedResources: ['nvidia.com/gpu'] });
for (const { title, run } of [...conformance.plugin(make), ...conformance.scheduling(make)]) test(title, (t) => t.notThrowsAsync(run));

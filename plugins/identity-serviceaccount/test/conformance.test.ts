import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import identityServiceaccount from '../dist/index.js';

const make = () => load(identityServiceaccount, {}, { id: 'serviceaccounts' });
for (const { title, run } of conformance.plugin(make)) test(title, (t) => t.notThrowsAsync(run));

import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import { ApiToken } from '../dist/contract.js';
import identityToken from '../dist/index.js';

const make = () => ({
  plugin: load(identityToken, {}, { id: 'tokens' }),
  objects: [{ kind: ApiToken, object: { name: 'ci', spec: { user: 'ci', description: 'builds' } } }],
});
for (const { title, run } of conformance.plugin(make)) test(title, (t) => t.notThrowsAsync(run));

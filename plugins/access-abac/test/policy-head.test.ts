import { createRequire } from 'node:module';
import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs';
import test from 'ava';
import { headOf } from '../dist/policy-head.js';

const cedar = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs') as typeof Cedar;
const object = { group: '', version: 'v1', plural: 'pods' };
const parsed = (text: string) => {
  const read = cedar.policyToJson(text);
  if (read.type === 'failure') throw new Error(read.errors[0]?.message);
  const head = headOf(read.json);
  return (verb: string, isPath = false) => head({ verb, ...(!isPath && { resource: object }) });
};

test('a policy is asked about the actions that its head names, alone, in a list or as a group', (t) => {
  const one = parsed('forbid (principal, action == Action::"delete", resource);');
  t.deepEqual([one('delete'), one('get')], [true, false]);
  const several = parsed('forbid (principal, action in [Action::"delete", Action::"read"], resource);');
  t.deepEqual([several('delete'), several('watch'), several('create')], [true, true, false]);
  const group = parsed('forbid (principal, action in Action::"write", resource);');
  t.deepEqual([group('patch'), group('frobnicate'), group('list')], [true, true, false]);
  t.true(parsed('forbid (principal, action, resource);')('get'));
});

test('a policy is asked about the sort of resource that its head names', (t) => {
  const objects = parsed('forbid (principal, action, resource is Object);');
  t.deepEqual([objects('get'), objects('get', true)], [true, false]);
  const paths = parsed('forbid (principal, action, resource is Path);');
  t.deepEqual([paths('get'), paths('get', true)], [false, true]);
});

import test from 'ava';
import type { KubernetesObject } from '@tappaas/sdk';
import { isAsIntended } from '../../dist/reconcile/live-match.js';

const manager = 'tappaas-application';

function pair(want: object, have: object, fieldsV1: object): boolean {
  const base = { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a', namespace: 'shop' } };
  const live = { ...base, metadata: { ...base.metadata, managedFields: [{ manager, operation: 'Apply', fieldsV1 }] }, ...have };
  return isAsIntended({ ...base, ...want }, live as KubernetesObject, manager);
}

test('a port is matched by its number and the protocol that the server filled in', (t) => {
  const fields = { 'f:spec': { 'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } } } };
  const have = {
    spec: {
      ports: [
        { containerPort: 80, protocol: 'UDP' },
        { containerPort: 80, protocol: 'TCP' },
      ],
    },
  };
  t.true(pair({ spec: { ports: [{ containerPort: 80 }] } }, have, fields));
  t.false(pair({ spec: { ports: [{ containerPort: 81 }] } }, have, fields));
  t.false(pair({ spec: { ports: [{ containerPort: 80 }, { containerPort: 81 }] } }, have, fields));
});

test('the order of a list that is merged by key does not matter, that of an atomic list does', (t) => {
  const keyed = {
    'f:spec': {
      'f:env': { 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} }, 'k:{"name":"B"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
    },
  };
  const env = [
    { name: 'A', value: '1' },
    { name: 'B', value: '2' },
  ];
  t.true(pair({ spec: { env } }, { spec: { env: env.toReversed() } }, keyed));
  const atomic = { 'f:spec': { 'f:command': {} } };
  t.true(pair({ spec: { command: ['a', 'b'] } }, { spec: { command: ['a', 'b'] } }, atomic));
  t.false(pair({ spec: { command: ['a', 'b'] } }, { spec: { command: ['b', 'a'] } }, atomic));
  t.false(pair({ spec: { command: ['a'] } }, { spec: { command: ['a', 'b'] } }, atomic));
});

test('members of a set are owned one by one', (t) => {
  const fields = { 'f:metadata': { 'f:finalizers': { '.': {}, 'v:"a"': {} } } };
  const metadata = { name: 'a', namespace: 'shop' };
  const managedFields = [{ manager, operation: 'Apply', fieldsV1: fields }];
  const live = (finalizers: string[]) => ({ metadata: { ...metadata, managedFields, finalizers } });
  t.true(pair({ metadata: { ...metadata, finalizers: ['a'] } }, live(['z', 'a']), fields));
  t.false(pair({ metadata: { ...metadata, finalizers: ['a'] } }, live(['z']), fields));
  t.false(pair({ metadata: { ...metadata, finalizers: ['a', 'b'] } }, live(['a', 'b']), fields));
});

test('an empty struct is as intended whatever defaults the server put in', (t) => {
  t.true(pair({ spec: { emptyDir: {} } }, { spec: { emptyDir: { medium: '' } } }, { 'f:spec': { 'f:emptyDir': {} } }));
  t.false(pair({ spec: { emptyDir: {} } }, { spec: {} }, { 'f:spec': { 'f:emptyDir': {} } }));
});

test('an empty list that the server did not store is as intended, whether or not it remembers who applied it', (t) => {
  const want = { spec: { a: 1, env: [] } };
  const [kept, dropped] = [{ 'f:spec': { 'f:a': {}, 'f:env': {} } }, { 'f:spec': { 'f:a': {} } }];
  for (const fields of [kept, dropped]) {
    t.true(pair(want, { spec: { a: 1 } }, fields));
    t.false(pair(want, { spec: { a: 2 } }, fields));
  }
  t.true(pair(want, { spec: { a: 1, env: [] } }, kept));
  t.false(pair(want, { spec: { a: 1, env: ['theirs'] } }, kept), 'an atomic list that is to be empty');
  t.false(pair({ spec: { a: 1 } }, { spec: { a: 1 } }, kept), 'it is left out now, and still owned');
  t.false(pair({ spec: { a: 1, env: ['x'] } }, { spec: { a: 1 } }, kept));
  const atomic = { 'f:spec': {} };
  t.true(pair({ spec: { a: { b: 1, env: [] } } }, { spec: { a: { b: 1 } } }, atomic));
  t.false(pair({ spec: { a: { b: 1, env: [] } } }, { spec: { a: { b: 1, c: 2 } } }, atomic));
});

test('an atomic map must be equal as a whole', (t) => {
  const fields = { 'f:spec': { 'f:selector': {} } };
  t.true(pair({ spec: { selector: { a: '1' } } }, { spec: { selector: { a: '1' } } }, fields));
  t.false(pair({ spec: { selector: { a: '1' } } }, { spec: { selector: { a: '1', b: '2' } } }, fields));
});

test('quantities are compared by value, but only where quantities stand', (t) => {
  const fields = { 'f:spec': { 'f:requests': { 'f:cpu': {} } } };
  t.true(pair({ spec: { requests: { cpu: '1000m' } } }, { spec: { requests: { cpu: '1' } } }, fields));
  t.true(pair({ spec: { requests: { cpu: 1 } } }, { spec: { requests: { cpu: '1' } } }, fields));
  t.false(pair({ spec: { requests: { cpu: '1001m' } } }, { spec: { requests: { cpu: '1' } } }, fields));
  const label = { 'f:spec': { 'f:tag': {} } };
  t.false(pair({ spec: { tag: '1000m' } }, { spec: { tag: '1' } }, label));
});

test('fields of a subresource or of another operation are not ours', (t) => {
  const object = { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a' }, spec: { a: 1 } };
  const fieldsV1 = { 'f:spec': { 'f:a': {} } };
  const live = (entries: object[]): KubernetesObject => ({ ...object, metadata: { name: 'a', managedFields: entries } });
  t.true(isAsIntended(object, live([{ manager, operation: 'Apply', fieldsV1 }]), manager));
  t.true(
    isAsIntended(
      object,
      live([
        { manager, operation: 'Apply', fieldsV1 },
        { manager, operation: 'Update', subresource: 'status', fieldsV1: {} },
      ]),
      manager,
    ),
  );
  t.false(isAsIntended(object, live([{ manager, operation: 'Apply', subresource: 'scale', fieldsV1 }]), manager));
  t.false(isAsIntended(object, live([{ manager: 'kubectl', operation: 'Apply', fieldsV1 }]), manager));
  t.false(isAsIntended(object, live([]), manager));
});

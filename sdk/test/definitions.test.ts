import { defineErrors, defineKind, definePlugin, isTapError, secretFrom, Type } from '@tappaas/sdk';
import { definitionOf } from '@tappaas/sdk/definitions';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { inspect } from 'node:util';
import test from 'ava';

test('a plugin with configuration needs an example', (t) => {
  t.throws(() => definePlugin({ id: 'x', config: Type.Object({ a: Type.String() }), setup() {} }), { message: /no example/ });
});

test('a plugin id that is not lower-case words is refused', (t) => {
  for (const id of ['', 'A', 'a_b', '-a', 'a--b']) t.throws(() => definePlugin({ id, setup() {} }), { message: /not lower-case words/ });
});

test('a kind whose spec is an intersection is refused, since it could not be closed', (t) => {
  const spec = Type.Object({ a: Type.Intersect([Type.Object({}), Type.Object({})]) });
  const declaration = {
    group: 'x.dev',
    kind: 'X',
    plural: 'xs',
    version: 'v1',
    scope: 'Cluster',
    description: 'x',
    status: Type.Object({}),
  } as const;
  t.throws(() => defineKind({ ...declaration, spec }), { message: /Intersect/ });
});

test('a kind that is the same for all tenants lies in no namespace and has no owner', (t) => {
  const declaration = {
    group: 'x.dev',
    kind: 'X',
    plural: 'xs',
    version: 'v1',
    description: 'x',
    spec: Type.Object({ tenant: Type.String() }),
    status: Type.Object({}),
    fields: ['spec.tenant'],
    isShared: true,
  } as const;
  t.notThrows(() => defineKind({ ...declaration, scope: 'Cluster' }));
  t.throws(() => defineKind({ ...declaration, scope: 'Namespaced' }), { message: /kind X: isShared is for cluster-scoped kinds/ });
  t.throws(() => defineKind({ ...declaration, scope: 'Cluster', owner: { tenant: 'spec.tenant' } }), { message: /have no owner/ });
});

test('handles carry their definition, invisibly', (t) => {
  const plugin = definePlugin({ id: 'x', setup() {} });
  t.is(definitionOf(plugin, 'plugin')?.id, 'x');
  t.deepEqual(Object.keys(plugin), ['$type', 'id']);
  t.is(definitionOf({}, 'plugin'), undefined);
});

test('a namespaced Kubernetes kind cannot be shared by all tenants', (t) => {
  t.notThrows(() => kubernetesHandle('scheduling.k8s.io', 'PriorityClass', { isShared: true }));
  t.throws(() => kubernetesHandle('', 'Pod', { isShared: true }), { message: /kind Pod: isShared is for cluster-scoped kinds/ });
});

test('a Kubernetes kind that the table lacks is refused by name', (t) => {
  t.throws(() => kubernetesHandle('apps', 'Nope'), { message: /no kind Nope in group "apps"/ });
});

test('a secret prints as [secret], however it is printed', (t) => {
  const secret = secretFrom(() => new TextEncoder().encode('canary\n'));
  t.is(secret.text(), 'canary');
  const joined = [secret].join('');
  for (const printed of [joined, JSON.stringify({ secret }), inspect({ secret })]) {
    t.false(printed.includes('canary'));
    t.true(printed.includes('[secret]'));
  }
});

test('an error carries its code, its remedy and its cause, and the cause stays out of the message', (t) => {
  const errors = defineErrors({ X_FAILED: { httpStatus: 503, blame: 'upstream', retry: 'back-off', remedy: 'Try again.' } });
  const error = errors.X_FAILED({ message: 'the price service did not answer', cause: new Error('password=1') });
  t.true(isTapError(error, 'X_FAILED'));
  t.false(error.message.includes('password'));
  t.is((error.cause as Error).message, 'password=1');
});

import type { AccessRequest } from '@tappaas/sdk';
import test from 'ava';
import { PolicySet } from '../dist/policy-set.js';
import { PolicyChecker } from '../dist/policy-text.js';
import { testPolicies } from '../dist/policy-test.js';

const evening = Date.parse('2026-11-30T22:15:00Z');
const request = (more: Partial<AccessRequest> = {}): AccessRequest => ({
  caller: { name: 'ann', groups: ['devs'], tenant: 'acme' },
  engine: 'platform',
  verb: 'delete',
  resource: { group: 'apps.tappaas.dev', version: 'v1alpha1', plural: 'applications', namespace: 'shop', name: 'web' },
  project: 'shop',
  tenant: 'acme',
  labels: { env: 'prod' },
  ...more,
});
const checker = new PolicyChecker();
const faultsIn = (text: string) => checker.faultsIn(text);
const setOf = (texts: Readonly<Record<string, string>>): PolicySet => {
  const set = new PolicySet();
  for (const [name, text] of Object.entries(texts)) set.put(name, text);
  return set;
};

test('a policy sees user, object, labels, tenant and time', (t) => {
  const nights = `forbid (principal, action in Action::"write", resource is Object)
    when { resource.hasTag("env") && resource.getTag("env") == "prod" && context.hour >= 20 }
    unless { principal.groups.contains("ops") };`;
  t.deepEqual(faultsIn(nights), []);
  const set = setOf({ nights });
  t.deepEqual(set.forbids(request(), evening), { by: ['nights'], errors: [], failed: [] });
  t.is(set.forbids(request(), Date.parse('2026-11-30T12:00:00Z')), undefined);
  t.is(set.forbids(request({ verb: 'get' }), evening), undefined);
  t.is(set.forbids(request({ labels: { env: 'test' } }), evening), undefined);
  t.is(set.forbids(request({ caller: { name: 'olga', groups: ['ops'] } }), evening), undefined);
  const tenants =
    'forbid (principal, action, resource is Object) when { principal has tenant && resource has tenant && principal.tenant != resource.tenant };';
  t.deepEqual(faultsIn(tenants), []);
  t.deepEqual(setOf({ tenants }).forbids(request({ tenant: 'rival' }), evening)?.by, ['tenants']);
  const until = 'forbid (principal, action, resource) when { context.time > datetime("2026-12-01T00:00:00Z") };';
  t.deepEqual(faultsIn(until), []);
  t.is(setOf({ until }).forbids(request(), evening), undefined);
});

test('paths are asked about too, and a verb that nobody has heard of changes something', (t) => {
  const set = setOf({ paths: 'forbid (principal, action in Action::"write", resource is Path);' });
  const { resource: _, labels: __, ...path } = request({ path: '/plugins/x', verb: 'post' });
  t.deepEqual(set.forbids(path, evening)?.by, ['paths']);
  t.deepEqual(set.forbids({ ...path, verb: 'frobnicate' }, evening)?.by, ['paths']);
  t.is(set.forbids({ ...path, verb: 'get' }, evening), undefined);
});

test('who looks after tenants does not thereby write: policies name these verbs to forbid them', (t) => {
  const tenants = 'resource.resource == "tenants"';
  const writes = `forbid (principal, action in Action::"write", resource is Object) when { ${tenants} };`;
  const widening = `forbid (principal, action in [Action::"administer", Action::"oversee"], resource is Object) when { ${tenants} };`;
  t.deepEqual([...faultsIn(writes), ...faultsIn(widening)], []);
  const set = setOf({ writes, widening });
  const resource = { group: 'platform.tappaas.dev', version: 'v1alpha1', plural: 'tenants' };
  const by = (verb: string) => set.forbids(request({ verb, resource }), evening)?.by;
  t.deepEqual([by('update'), by('oversee'), by('administer'), by('get')], [['writes'], ['widening'], ['widening'], undefined]);
  const alone = setOf({ writes });
  t.is(alone.forbids(request({ verb: 'oversee', resource }), evening), undefined);
});

test('a policy sees where a request came from, and who acts as somebody else', (t) => {
  const inside = 'forbid (principal, action, resource) unless { context has address && context.address.isInRange(ip("10.0.0.0/8")) };';
  const acting =
    'forbid (principal, action in Action::"write", resource) when { context has impersonator && context.impersonator != "root" };';
  t.deepEqual([...faultsIn(inside), ...faultsIn(acting)], []);
  const set = setOf({ inside, acting });
  const by = (more: object) => set.forbids(request({ caller: { name: 'ann', groups: [], ...more } }), evening);
  t.is(by({ address: '10.1.2.3' }), undefined);
  t.deepEqual(by({ address: '192.0.2.1' })?.by, ['inside']);
  t.deepEqual(by({ address: '2001:db8::1' })?.by, ['inside']);
  for (const address of ['nonsense', 'fe80::1%eth0']) t.deepEqual(by({ address }), { by: ['inside'], errors: [], failed: [] }, address);
  t.deepEqual(by({ address: '10.1.2.3', impersonator: 'boss' })?.by, ['acting']);
  t.is(by({ address: '10.1.2.3', impersonator: 'root' }), undefined);
});

test('a policy that cannot be evaluated forbids', (t) => {
  const set = setOf({ broken: 'forbid (principal, action, resource is Object) when { resource.getTag("env") == "prod" };' });
  const { labels: _, ...unlabelled } = request();
  const forbidden = set.forbids(unlabelled, evening);
  t.deepEqual(forbidden?.by, []);
  t.regex(forbidden?.errors[0] ?? '', /^broken: /);
});

test('a question that Cedar cannot be asked is forbidden, and the next one is answered', (t) => {
  const set = setOf({ deletes: 'forbid (principal, action == Action::"delete", resource);' });
  const broken = request({ verb: 'delete', caller: { name: '\ud800', groups: [] } });
  t.like(set.forbids(broken, evening), { by: [] });
  t.is(set.forbids(broken, evening)?.errors.length, 1);
  t.deepEqual(set.forbids(request(), evening), { by: ['deletes'], errors: [], failed: [] });
});

test('what is wrong with a policy is told with line and column, and what would mend it', (t) => {
  const messages = (text: string) =>
    faultsIn(text)
      .map(({ message, reason }) => `${reason}: ${message}`)
      .join('\n');
  t.regex(
    messages('forbid (principal, action, resource)\n  when { resource === 1 };'),
    /^FieldValueInvalid: line 2, column \d+: .*unexpected token/,
  );
  t.regex(
    messages('forbid (principal, action, resource is Object) when { resource.lables == "x" };'),
    /line 1, column \d+: .*lables.*labels|line 1, column \d+: .*lables/,
  );
  t.regex(messages('forbid (principal, action == Action::"gte", resource);'), /gte/);
  t.regex(messages('permit (principal, action, resource);'), /roles grant, policies can only forbid/);
  t.regex(messages('forbid (principal == ?principal, action, resource);'), /templates are not supported/);
  t.regex(messages('// nothing'), /expected at least one policy/);
});

test('a text that breaks Cedar off is refused, and texts and questions after it are answered as before', (t) => {
  const when = (condition: string): string => `forbid (principal, action, resource) when {${condition}};`;
  const nested = (count: number): string => when(`${'('.repeat(count)}true${')'.repeat(count)}`);
  const set = setOf({ deletes: 'forbid (principal, action == Action::"delete", resource);' });
  const fine = when('principal.name == "(((["');
  const refused: Readonly<Record<string, RegExp>> = {
    [nested(300)]: /^line 1, column 10\d: expected at most 64 brackets in each other$/,
    [`// (((\n${nested(64)}`]: /^line 2, column 10\d: expected at most 64 brackets/,
    [when(`"${'('.repeat(500)}" == "${'[{'.repeat(500)}`)]: /line 1/,
    [when(`${'if true then true else '.repeat(2000)}true`)]: /Cedar cannot read it/,
    [when(`1 == ${Array(1000).fill('1').join('+')}`)]: /policy 1 of the text: expected at most 200 operators/,
    [`${fine}${when(Array(202).fill('true').join('&&'))}`]: /policy 2 of the text: expected at most 200 operators/,
    [when(Array(12_000).fill('true').join('&&'))]: /Cedar cannot read it/,
  };
  for (const [text, message] of Object.entries(refused)) {
    const found = faultsIn(text);
    t.like(found[0], { field: 'spec.cedar', reason: 'FieldValueInvalid' });
    t.regex(found[0]?.message ?? '', message);
    t.deepEqual(faultsIn(fine), []);
    t.deepEqual(set.forbids(request(), evening)?.by, ['deletes']);
  }
  t.deepEqual(faultsIn(nested(63)), []);
  t.deepEqual(faultsIn(when(Array(200).fill('true').join('&&'))), []);
});

test('what stands within the bounds can be evaluated, whatever it is made of', (t) => {
  const rows: readonly ((count: number) => string)[] = [
    (count) => `1 < ${Array(count).fill('1').join('*')}`,
    (count) => `${'if false then true else '.repeat(count)}false`,
    (count) => `principal${'.a'.repeat(count)}`,
    (count) => `resource${'.getTag("a")'.repeat(count)} == 1`,
    (count) => `decimal("1.0")${'.lessThan(decimal("2.0"))'.repeat(count)}`,
    (count) => `ip("10.0.0.1")${'.isInRange(ip("10.0.0.0/8"))'.repeat(count)}`,
    (count) => `datetime("2024-01-01")${'.offset(duration("1d"))'.repeat(count)} == context.time`,
  ];
  for (const row of rows) {
    const set = setOf({ row: `forbid (principal, action, resource) when {${row(199)}};` });
    const { errors = [] } = set.forbids(request(), evening) ?? {};
    t.notRegex(errors.join(), /memory access|call stack|unreachable/);
  }
});

test('a set that breaks Cedar off forbids, and is whole again when what did it is gone', (t) => {
  const set = setOf({ deletes: 'forbid (principal, action == Action::"delete", resource);' });
  // A policy that was stored before the limits on nesting existed.
  set.put('deep', `forbid (principal, action, resource) when { 1 == ${Array(1000).fill('1').join('+')} };`);
  for (let count = 0; count < 3; count += 1) t.regex(set.forbids(request(), evening)?.errors[0] ?? '', /memory access|call stack/);
  set.delete('deep');
  t.deepEqual(set.forbids(request(), evening), { by: ['deletes'], errors: [], failed: [] });
  t.is(set.forbids(request({ verb: 'get' }), evening), undefined);
});

test('sets change as policies come and go', (t) => {
  const set = setOf({ one: 'forbid (principal, action, resource);' });
  t.deepEqual(set.forbids(request(), evening)?.by, ['one']);
  set.put('two', 'forbid (principal, action == Action::"delete", resource);');
  t.deepEqual(set.forbids(request(), evening)?.by.toSorted(), ['one', 'two']);
  set.delete('one');
  t.deepEqual(set.forbids(request(), evening)?.by, ['two']);
  set.delete('two');
  t.is(set.forbids(request(), evening), undefined);
});

test('expectations are compared without a platform', (t) => {
  const policies = [
    { metadata: { name: 'no-delete' }, spec: { cedar: 'forbid (principal, action == Action::"delete", resource is Object);' } },
  ];
  const base = { user: { name: 'ann' }, object: { resource: 'pods' }, time: '2026-11-30T22:00:00Z' };
  const results = testPolicies(policies, [
    { ...base, name: 'deletes', verb: 'delete', expect: 'Forbidden', by: ['no-delete'] },
    { ...base, name: 'reads', verb: 'get', expect: 'NotForbidden' },
    { ...base, name: 'wrong', verb: 'get', expect: 'Forbidden' },
    { ...base, name: 'other reason', verb: 'delete', expect: 'Forbidden', by: ['another'] },
  ]);
  t.deepEqual(
    results.map(({ name, problem }) => problem ?? name),
    ['deletes', 'reads', 'expected Forbidden, found NotForbidden', 'expected it to be forbidden by another, found no-delete'],
  );
  t.throws(() => testPolicies([{ metadata: { name: 'bad' }, spec: { cedar: 'forbid (' } }], []), { message: /^bad: line 1/ });
});

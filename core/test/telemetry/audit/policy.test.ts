import test from 'ava';
import type { AuditedRequest } from '../../../dist/ports/audit.js';
import { isConfidential } from '../../../dist/telemetry/audit/confidential.js';
import { compilePolicy, type PolicyRule, type PolicySettings } from '../../../dist/telemetry/audit/policy.js';

const requested: AuditedRequest = {
  requestId: 'r0-1',
  receivedAtMs: 0,
  method: 'GET',
  path: '/api/v1/namespaces/shop/configmaps/menu',
  query: '',
  engine: 'platform',
  verb: 'get',
  target: { kind: { group: '', version: 'v1', plural: 'configmaps' }, namespace: 'shop', name: 'menu' },
  caller: { name: 'ann', groups: ['developers'] },
  remoteAddress: '127.0.0.1',
  userAgent: '',
};
const about = (plural: string, subresource?: string, group = ''): AuditedRequest => ({
  ...requested,
  target: { kind: { group, version: 'v1', plural }, namespace: 'shop', name: 'menu', ...(subresource !== undefined && { subresource }) },
});
const path = (text: string): AuditedRequest => ({ ...requested, path: text, target: undefined });

const empty: PolicyRule = { level: 'None', users: [], groups: [], verbs: [], resources: [], namespaces: [], paths: [], omitStages: [] };
const settings = (rules: readonly Partial<PolicyRule>[], more: Partial<PolicySettings> = {}): PolicySettings => ({
  level: 'Metadata',
  omitStages: [],
  refusals: true,
  rules: rules.map((rule) => ({ ...empty, ...rule })),
  ...more,
});
const levelOf = (rules: readonly Partial<PolicyRule>[], request = requested) =>
  compilePolicy(settings(rules), isConfidential)(request).level;

test('the first rule that is for a request decides, and the default what no rule is for', (t) => {
  t.is(levelOf([]), 'Metadata');
  t.is(levelOf([{ level: 'Request' }, { level: 'None' }]), 'Request');
  t.is(levelOf([{ level: 'None', verbs: ['list'] }]), 'Metadata');
});

test('every condition of a rule has to fit: user, group, verb, namespace', (t) => {
  for (const fits of [
    { users: ['ann'] },
    { groups: ['x', 'developers'] },
    { verbs: ['get', 'list'] },
    { namespaces: ['shop'] },
    { users: ['*'] },
  ]) {
    t.is(levelOf([fits]), 'None', JSON.stringify(fits));
    t.is(levelOf([{ ...fits, verbs: ['delete'] }]), 'Metadata');
  }
  for (const other of [{ users: ['joe'] }, { groups: ['admins'] }, { verbs: ['create'] }, { namespaces: ['other'] }])
    t.is(levelOf([other]), 'Metadata');
});

test('whoever nobody knows is system:anonymous of system:unauthenticated', (t) => {
  const unknown = { ...requested, caller: undefined };
  t.is(levelOf([{ users: ['system:anonymous'] }], unknown), 'None');
  t.is(levelOf([{ groups: ['system:unauthenticated'] }], unknown), 'None');
});

test('resources are named by group, plural, part and name', (t) => {
  const resources = (group: string, names: readonly string[], objects: readonly string[] = []) => [
    { resources: [{ group, resources: names, names: objects }] },
  ];
  t.is(levelOf(resources('', ['configmaps'])), 'None');
  t.is(levelOf(resources('', ['configmaps'], ['menu'])), 'None');
  t.is(levelOf(resources('', ['configmaps'], ['other'])), 'Metadata');
  t.is(levelOf(resources('apps', ['configmaps'])), 'Metadata');
  t.is(levelOf(resources('*', [])), 'None');
  t.is(levelOf(resources('', ['pods']), about('pods', 'log')), 'Metadata', 'a part is not its object');
  for (const form of ['pods/log', 'pods/*', '*/log', '*']) t.is(levelOf(resources('', [form]), about('pods', 'log')), 'None', form);
});

test('paths are those that are not about objects', (t) => {
  t.is(levelOf([{ paths: ['/metrics'] }], path('/metrics')), 'None');
  t.is(levelOf([{ paths: ['/openapi*'] }], path('/openapi/v3')), 'None');
  t.is(levelOf([{ paths: ['/openapi'] }], path('/openapi/v3')), 'Metadata');
  t.is(levelOf([{ paths: ['*'] }]), 'Metadata');
  t.is(levelOf([{ paths: ['/metrics'], resources: [{ group: '', resources: ['configmaps'], names: [] }] }]), 'None', 'either will do');
});

test('secrets, what hands out credentials and what is no object never get more than Metadata', (t) => {
  const all = [{ level: 'RequestResponse' }] as const;
  t.is(levelOf(all), 'RequestResponse');
  t.is(levelOf(all, about('pods', 'status')), 'RequestResponse');
  const confidential = [
    about('secrets'),
    about('serviceaccounts', 'token'),
    about('tokenreviews', undefined, 'authentication.k8s.io'),
    about('apitokens', undefined, 'identity.tappaas.dev'),
    about('pods', 'exec'),
    about('pods', 'log'),
    path('/graphql'),
    path('/plugins/audit/x'),
  ];
  for (const request of confidential) t.is(levelOf(all, request), 'Metadata', JSON.stringify(request.target ?? request.path));
  t.is(levelOf([{ level: 'None' }], about('secrets')), 'None', 'less is a policy’s business');
});

test('stages that the policy or a rule omits are not recorded', (t) => {
  const policy = compilePolicy(
    settings([{ level: 'Request', omitStages: ['ResponseStarted'] }], { omitStages: ['RequestReceived'] }),
    isConfidential,
  );
  t.deepEqual(policy(requested), { level: 'Request', received: false, started: false, complete: true });
});

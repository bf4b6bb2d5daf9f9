import type { AccessDecision, AccessRequest, AccessScope, Authorizer } from '@tappaas/sdk';
import test from 'ava';
import { createAccessReviews } from '../../dist/access/access-reviews.js';
import { userInfoOf } from '../../dist/identity/user-info.js';
import { accessOf, nowhere, reviewsOf } from './access-of.ts';

const caller = (...groups: string[]) => ({ name: 'joe', groups });
const secrets = { group: '', version: 'v1', plural: 'secrets', namespace: 'a', name: 'x' };
const requested = (extra: Partial<AccessRequest>): AccessRequest => ({
  caller: caller(),
  engine: 'platform',
  verb: 'get',
  resource: secrets,
  ...extra,
});
const answers = (decision: AccessDecision['decision'], reason = '') => ({ authorize: () => ({ decision, reason }) });
const later = (decision: AccessDecision['decision'], reason = '') => ({ authorize: async () => ({ decision, reason }) });

test('administrators may do everything, also where an authorizer would deny', (t) => {
  const authorize = accessOf([answers('deny')]).authorize;
  t.like(authorize(requested({ caller: caller('system:masters') })), { decision: 'allow' });
});

test('a process of an engine may do everything there and nothing elsewhere', (t) => {
  const authorize = accessOf([]).authorize;
  const agent = caller('system:engine:local');
  t.like(authorize(requested({ caller: agent, engine: 'local' })), { decision: 'allow' });
  t.like(authorize(requested({ caller: agent })), { decision: 'no-opinion' });
  t.like(authorize(requested({ caller: agent, engine: 'local2' })), { decision: 'no-opinion' });
});

test('a group called like something that every object of JavaScript has is one that nobody knows', (t) => {
  const authorize = accessOf([]).authorize;
  for (const group of ['constructor', '__proto__', 'toString']) {
    const resource = { group, version: 'v1', plural: 'selfsubjectreviews' };
    t.like(authorize(requested({ verb: 'create', resource })), { decision: 'no-opinion' }, group);
  }
});

test('everybody may discover and ask about themselves, and nothing more', (t) => {
  const authorize = accessOf([]).authorize;
  const decide = (extra: Partial<AccessRequest>) => (authorize(requested(extra)) as AccessDecision).decision;
  for (const path of ['/api', '/apis', '/apis/apps/v1', '/openapi/v3', '/version']) {
    const { resource: _, ...request } = requested({ path });
    t.like(authorize(request), { decision: 'allow' }, path);
  }
  for (const path of ['/metrics', '/plugins/a/b', '/apisecret', '/']) {
    const { resource: _, ...request } = requested({ path });
    t.like(authorize(request), { decision: 'no-opinion' }, path);
  }
  const review = { group: 'authorization.k8s.io', version: 'v1', plural: 'selfsubjectaccessreviews' };
  t.is(decide({ verb: 'create', resource: review }), 'allow');
  t.is(decide({ verb: 'create', resource: { ...review, plural: 'subjectaccessreviews' } }), 'no-opinion');
  t.is(decide({ verb: 'get' }), 'no-opinion');
});

test('one denial refuses whoever else allows, and what nobody denies one must allow', async (t) => {
  const decide = async (...authorizers: Authorizer[]) => (await accessOf(authorizers).authorize(requested({}))).decision;
  t.is(await decide(answers('no-opinion'), answers('allow'), answers('deny')), 'deny');
  t.is(await decide(answers('allow'), later('deny')), 'deny');
  t.is(await decide(answers('no-opinion'), later('deny'), answers('allow')), 'deny');
  t.is(await decide(later('allow'), later('no-opinion')), 'allow');
  t.is(await decide(later('no-opinion'), later('no-opinion'), answers('allow')), 'allow');
  t.is(await decide(answers('no-opinion'), later('no-opinion')), 'no-opinion');
});

test('no authorizer is asked about a name that is no Unicode text, whichever way it came', (t) => {
  const received: unknown[] = [];
  const { authorize } = accessOf([{ authorize: (request) => (received.push(request), { decision: 'allow', reason: '' }) }]);
  for (const part of ['name', 'namespace', 'plural', 'subresource', 'group'])
    t.like(authorize(requested({ resource: { ...secrets, [part]: 'x\ud800' } })), {
      decision: 'deny',
      reason: `the ${part} asked about is no Unicode text`,
    });
  t.like(authorize(requested({ verb: '\udfff' })), { decision: 'deny' });
  t.deepEqual(received, []);
  t.like(authorize(requested({ resource: { ...secrets, name: '\u{1f600}' } })), { decision: 'allow' });
});

test('authorizers that read labels are told those of the object for everything done to it, actions too, and none for what is made', (t) => {
  const labels = { env: 'prod' };
  const reported: unknown[] = [];
  const places = { ...nowhere, labels: () => labels };
  const reads = { readsLabels: true, ...answers('allow') };
  const { authorize } = accessOf([{ ...reads, authorize: (request) => (reported.push(request.labels), reads.authorize()) }], places);
  const application = { group: 'apps.tappaas.dev', version: 'v1alpha1', plural: 'applications', namespace: 'a', name: 'shop' };
  const pod = { ...secrets, plural: 'pods' };
  for (const [verb, resource, expected] of [
    ['delete', application, labels],
    ['create', { ...application, subresource: 'restart' }, labels],
    ['create', { ...application, subresource: 'rollback' }, labels],
    ['create', { ...pod, subresource: 'exec' }, labels],
    ['get', { ...pod, subresource: 'exec' }, labels],
    ['create', application, undefined],
  ] as const) {
    t.like(authorize(requested({ verb, resource })), { decision: 'allow' });
    t.deepEqual(reported.pop(), expected, JSON.stringify([verb, resource]));
  }
});

test('as long as an authorizer that is configured does not run, nobody but the built-in rules allows anything', (t) => {
  const { authorize } = accessOf([answers('allow')], undefined, ['policies']);
  t.like(authorize(requested({})), { decision: 'deny', reason: 'authorizer policies is configured and does not run' });
  t.like(authorize(requested({ caller: caller('system:masters') })), { decision: 'allow' });
});

test('who is refused learns every reason, and synchronous authorizers are asked synchronously', async (t) => {
  t.deepEqual(accessOf([answers('no-opinion', 'no role'), answers('no-opinion', 'no policy')]).authorize(requested({})), {
    decision: 'no-opinion',
    reason: 'no role; no policy',
  });
  t.deepEqual(await accessOf([answers('no-opinion', 'no role'), later('no-opinion', 'no policy')]).authorize(requested({})), {
    decision: 'no-opinion',
    reason: 'no role; no policy',
  });
});

test('an authorizer that throws lets nobody pass', async (t) => {
  const broken = {
    authorize: () => {
      throw new Error('broken');
    },
  };
  t.throws(() => accessOf([broken, answers('allow')]).authorize(requested({})), { message: 'broken' });
});

function reviews(decision: AccessDecision['decision'] = 'no-opinion') {
  const requests: AccessRequest[] = [];
  const made = createAccessReviews({
    engine: 'platform',
    authorize: (request) => {
      requests.push(request);
      return { decision, reason: 'because' };
    },
    placed: (requested) => requested,
    isOfCluster: () => false,
    rules: async () => ({
      resourceRules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }],
      nonResourceRules: [],
      incomplete: 'policies',
    }),
  });
  return { ...made, requests };
}
const request = { caller: caller('devs'), namespace: 'a' };

test('a review of the caller asks what the request itself would be asked', async (t) => {
  const { selfSubjectAccessReview, requests } = reviews('allow');
  const spec = {
    resourceAttributes: { namespace: 'a', verb: 'get', group: 'apps', resource: 'deployments', subresource: 'scale', name: 'x' },
  };
  const { status } = (await selfSubjectAccessReview({ spec }, request)) as { status: object };
  t.deepEqual(status, { allowed: true, reason: 'because' });
  const resource = { group: 'apps', version: '', plural: 'deployments', subresource: 'scale', namespace: 'a', name: 'x' };
  t.deepEqual(requests, [{ caller: request.caller, engine: 'platform', verb: 'get', resource, canNarrow: true, isReview: true }] as never);
});

test('a path can be asked about, and a denial is told apart from nobody having allowed it', async (t) => {
  const { selfSubjectAccessReview, requests } = reviews('deny');
  const { status } = (await selfSubjectAccessReview({ spec: { nonResourceAttributes: { path: '/metrics', verb: 'get' } } }, request)) as {
    status: object;
  };
  t.deepEqual(status, { allowed: false, denied: true, reason: 'because' });
  t.is(requests[0]?.path, '/metrics');
});

test('a review asks about one thing, of somebody, in its own namespace', async (t) => {
  const { selfSubjectAccessReview, subjectAccessReview, localSubjectAccessReview, requests } = reviews();
  const attributes = { resourceAttributes: { resource: 'pods', verb: 'get', namespace: 'b' } };
  await t.throwsAsync(selfSubjectAccessReview({ spec: {} }, request), { code: 'TAP_REVIEW_INVALID' });
  await t.throwsAsync(selfSubjectAccessReview({ spec: { ...attributes, nonResourceAttributes: {} } }, request), {
    code: 'TAP_REVIEW_INVALID',
  });
  await t.throwsAsync(subjectAccessReview({ spec: attributes }, request), { message: /spec\.user/ });
  await t.throwsAsync(localSubjectAccessReview({ spec: { ...attributes, user: 'ann' } }, request), { message: /namespace/ });
  await subjectAccessReview({ spec: { ...attributes, user: 'ann', groups: ['g'] } }, request);
  t.deepEqual(requests[0]?.caller, { name: 'ann', groups: ['g'] });
});

test('who reviews somebody as a review of their token told them is answered within the scope of that token', async (t) => {
  const { subjectAccessReview, localSubjectAccessReview } = reviewsOf(accessOf([answers('allow')]));
  const allowed = async (scope: AccessScope, attributes: object): Promise<unknown> => {
    const { username: user, groups, extra } = userInfoOf({ ...caller(), scope });
    const spec = { user, groups, extra, resourceAttributes: { resource: 'secrets', namespace: 'a', ...attributes } };
    const { status } = await subjectAccessReview({ spec }, { caller: caller(), namespace: undefined });
    const local = await localSubjectAccessReview({ spec }, { caller: caller(), namespace: 'a' }).catch(() => undefined);
    if (local !== undefined) t.deepEqual(local['status'], status);
    return (status as { allowed: boolean }).allowed;
  };
  t.true(await allowed({ verbs: ['get'] }, { verb: 'get' }));
  t.false(await allowed({ verbs: ['get'] }, { verb: 'delete' }));
  t.true(await allowed({ namespaces: ['a'] }, { verb: 'delete' }));
  t.false(await allowed({ namespaces: ['a'] }, { verb: 'get', namespace: 'b' }));
  t.false(await allowed({ namespaces: [] }, { verb: 'get' }));
  t.false(await allowed({ verbs: [] }, { verb: 'get' }));
  t.true(await allowed({}, { verb: 'delete' }));
});

test('rules are those that everybody has and those that authorizers list', async (t) => {
  const { selfSubjectRulesReview } = reviews();
  const { status } = (await selfSubjectRulesReview({ spec: { namespace: 'a' } }, request)) as {
    status: { resourceRules: object[]; incomplete: boolean; evaluationError: string };
  };
  t.is(status.resourceRules.length, 1);
  t.true(status.incomplete);
  t.is(status.evaluationError, 'policies');
  await t.throwsAsync(selfSubjectRulesReview({ spec: {} }, request), { code: 'TAP_REVIEW_INVALID' });
});

const narrowedTo = (scope: AccessScope, ...groups: string[]) => ({ name: 'joe', groups, scope });
const verdict = (extra: Partial<AccessRequest>) => (accessOf([answers('allow')]).authorize(requested(extra)) as AccessDecision).decision;

test('a credential for some verbs is refused the others, even to an administrator', (t) => {
  const reader = narrowedTo({ verbs: ['get', 'list'] }, 'system:masters');
  t.is(verdict({ caller: reader }), 'allow');
  t.is(verdict({ caller: reader, verb: 'list' }), 'allow');
  for (const verb of ['watch', 'create', 'update', 'patch', 'delete', 'deletecollection', 'impersonate', 'GET', '']) {
    t.is(verdict({ caller: reader, verb }), 'deny', verb);
  }
  t.is(verdict({ caller: narrowedTo({ verbs: [] }) }), 'deny');
  t.is(verdict({ caller: narrowedTo({ verbs: ['*'] }), verb: 'delete' }), 'allow');
});

test('a credential for some namespaces reaches no other one, nothing of no namespace, no path and no other engine', (t) => {
  const caller = narrowedTo({ namespaces: ['a'] }, 'system:masters');
  const { namespace: _, name: __, ...everywhere } = secrets;
  const namespaces = { group: '', version: 'v1', plural: 'namespaces' };
  t.is(verdict({ caller }), 'allow');
  t.is(verdict({ caller, resource: { ...secrets, namespace: 'b' } }), 'deny');
  t.is(verdict({ caller, verb: 'list', resource: everywhere }), 'deny');
  t.is(verdict({ caller, resource: { ...namespaces, name: 'a' } }), 'allow');
  t.is(verdict({ caller, resource: { ...namespaces, namespace: 'a', name: 'b' } }), 'deny');
  t.is(verdict({ caller, verb: 'delete', resource: { ...namespaces, namespace: 'a', name: 'a' } }), 'deny');
  t.is(verdict({ caller, resource: { ...namespaces, name: 'b' } }), 'deny');
  t.is(verdict({ caller, verb: 'list', resource: namespaces }), 'deny');
  t.is(verdict({ caller, verb: 'patch', resource: { ...namespaces, name: 'a' } }), 'deny', 'its labels say whose it is');
  t.is(verdict({ caller, resource: { ...namespaces, group: 'x', name: 'a' } }), 'deny');
  t.is(verdict({ caller, engine: 'local' }), 'deny');
  const { resource: ___, ...metrics } = requested({ caller, path: '/metrics' });
  t.is((accessOf([]).authorize(metrics) as AccessDecision).decision, 'deny');
});

test('discovery and questions about oneself lie inside of every scope', (t) => {
  const caller = narrowedTo({ namespaces: [], verbs: [] });
  const { resource: _, ...discovery } = requested({ caller, path: '/apis' });
  t.is((accessOf([]).authorize(discovery) as AccessDecision).decision, 'allow');
  const resource = { group: 'authentication.k8s.io', version: 'v1', plural: 'selfsubjectreviews' };
  t.is(verdict({ caller, verb: 'create', resource }), 'allow');
  t.is(verdict({ caller, verb: 'create', resource: { ...resource, plural: 'tokenreviews' } }), 'deny');
});

test('a rules review lists what is left of an administrator in the scope of the credential', async (t) => {
  const reviews = reviewsOf(accessOf());
  const caller = narrowedTo({ namespaces: ['a'], verbs: ['get'] }, 'system:masters');
  const left = async (namespace: string) =>
    (await reviews.selfSubjectRulesReview({ spec: { namespace } }, { caller, namespace: undefined }))['status'];
  t.like(await left('a'), { resourceRules: [{ verbs: ['get'], apiGroups: ['*'], resources: ['*'] }], nonResourceRules: [] });
  t.like(await left('b'), { resourceRules: [], nonResourceRules: [] });
});

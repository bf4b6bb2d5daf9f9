/** Questions that clients ask by creating what is never stored, through the whole API. */
import test from 'ava';
import { startRealServer, type RealServer } from './real-server.ts';
import { requestPort, type Answer } from './running-server.ts';

let server: RealServer;

test.before(async () => {
  server = await startRealServer();
});
test.after.always(() => server.close());

function review(group: string, plural: string, kind: string, rest: object): Promise<Answer> {
  const body = { apiVersion: `${group}/v1`, kind, metadata: {}, ...rest };
  return requestPort(server.port, `/apis/${group}/v1/${plural}`, { method: 'POST', as: server.token, body });
}

test('a caller is told what it may', async (t) => {
  const spec = { resourceAttributes: { verb: 'create', resource: 'configmaps', namespace: 'default' } };
  const answer = await review('authorization.k8s.io', 'selfsubjectaccessreviews', 'SelfSubjectAccessReview', { spec });
  t.is(answer.status, 201);
  t.true(answer.json.status.allowed);
});

test('an empty status as clients written in Go send it is no mistake', async (t) => {
  const status = { resourceRules: null, nonResourceRules: null, incomplete: false };
  const spec = { namespace: 'default' };
  const answer = await review('authorization.k8s.io', 'selfsubjectrulesreviews', 'SelfSubjectRulesReview', { spec, status });
  t.is(answer.status, 201, answer.text);
  t.deepEqual(answer.json.status.resourceRules[0].verbs, ['*']);
});

test('somebody else is asked about by name, and who asks about nobody is told what is missing', async (t) => {
  const attributes = { resourceAttributes: { verb: 'get', resource: 'secrets' } };
  const about = (spec: object) => review('authorization.k8s.io', 'subjectaccessreviews', 'SubjectAccessReview', { spec });
  t.false((await about({ ...attributes, user: 'joe' })).json.status.allowed);
  t.true((await about({ ...attributes, user: 'joe', groups: ['system:masters'] })).json.status.allowed);
  const refused = await about(attributes);
  t.is(refused.status, 422);
  t.is(refused.json.details.causes[0].field, 'spec.user');
});

test('reviews return the caller’s own identity and the user of a token', async (t) => {
  const me = await review('authentication.k8s.io', 'selfsubjectreviews', 'SelfSubjectReview', {});
  t.is(me.json.status.userInfo.username, 'admin');
  const known = await review('authentication.k8s.io', 'tokenreviews', 'TokenReview', { spec: { token: server.token } });
  t.like(known.json.status, { authenticated: true, user: { username: 'admin' } });
  t.false(known.text.includes(server.token));
});

test('reviews can be created but not read', async (t) => {
  const answer = await requestPort(server.port, '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { as: server.token });
  t.is(answer.status, 405);
  t.is(answer.headers['allow'], 'POST');
});

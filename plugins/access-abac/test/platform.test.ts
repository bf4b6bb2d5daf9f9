/** Policies in a kernel, beside an authorizer that allows everything. */
import { definePlugin, families } from '@tappaas/sdk';
import { load, startTestKernel } from '@tappaas/testing';
import test from 'ava';
import accessAbac from '../dist/index.js';

const allowing = definePlugin({
  id: 'access-allowing',
  setup(host) {
    host.provide(families.authorizer, () => ({ authorize: () => ({ decision: 'allow', reason: 'everybody may' }) as const }));
  },
});

const policies = '/apis/platform.tappaas.dev/v1alpha1/policies';
const policy = (name: string, cedar: string, mode = 'Enforce') => ({ metadata: { name }, spec: { cedar, mode } });

async function started() {
  const kernel = await startTestKernel({ plugins: [load(accessAbac, {}, { id: 'policies' }), load(allowing)] });
  const request = async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const { status, text } = await kernel.http(method, path, body && JSON.stringify(body), {
      'content-type': 'application/json',
      ...headers,
    });
    return { status, json: JSON.parse(text) };
  };
  const ann = (method: string, path: string, body?: object) => request(method, path, body, { 'impersonate-user': 'ann' });
  return { kernel, request, ann };
}

async function eventually(t: { fail(message: string): void }, holds: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 60_000;
  while (!(await holds())) if (Date.now() > endMs) return t.fail('it was not so within a minute');
}

const secrets = '/api/v1/namespaces/default/secrets';

test('a policy forbids what roles allow as soon as it is written, and no longer than it is there', async (t) => {
  const { kernel, request, ann } = await started();
  t.is((await ann('GET', secrets)).status, 200);
  t.is(
    (
      await request(
        'POST',
        policies,
        policy('no-secrets', 'forbid (principal, action, resource is Object) when { resource.resource == "secrets" };'),
      )
    ).status,
    201,
  );
  await eventually(t, async () => (await ann('GET', secrets)).status === 403);
  t.regex((await ann('GET', secrets)).json.message, /forbidden by policy no-secrets/);
  t.is((await ann('GET', '/api/v1/namespaces/default/configmaps')).status, 200);
  t.is((await request('GET', secrets)).status, 200);
  await request('DELETE', `${policies}/no-secrets`);
  await eventually(t, async () => (await ann('GET', secrets)).status === 200);
  await kernel.stop();
});

test('names that are no Unicode text are refused to who sends them, and nobody else is shut out', async (t) => {
  const { kernel, request, ann } = await started();
  await request('POST', policies, policy('pods', 'forbid (principal, action, resource is Object) when { resource.resource == "pods" };'));
  await eventually(t, async () => (await ann('GET', secrets)).status === 200);
  const name = '\ud800';
  const checks = Array.from({ length: 6 }, (_, index) => `a${index}: can(verb: "get", resource: "pods", namespace: $n)`).join(' ');
  const query = `query ($n: String!) { viewer { ${checks} } }`;
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { verb: 'get', resource: 'secrets', name } },
  };
  for (let count = 0; count < 6; count += 1) {
    t.is((await ann('POST', '/graphql', { query, variables: { n: name } })).status, 400);
    t.is(
      (
        await ann('POST', '/graphql', {
          query: 'query ($n: String!) { configMap(name: $n, namespace: "default") { metadata { name } } }',
          variables: { n: name },
        })
      ).status,
      400,
    );
    const literal = `{ viewer { can(verb: "get", resource: "secrets", name: "\\ud800") } }`;
    t.is((await ann('POST', '/graphql', { query: literal })).status, 400);
    const refused = await ann('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review);
    t.is(refused.status, 400);
    t.regex(refused.json.message, /spec\.resourceAttributes\.name: expected Unicode text/);
    const search = new URLSearchParams({ query, variables: JSON.stringify({ n: name }) });
    const { data } = (await ann('GET', `/graphql?${search}`)).json;
    t.is(data?.viewer?.a0, false);
    const id = Buffer.from(JSON.stringify(['', 'ConfigMap', 'default', name, 'uid'])).toString('base64url');
    t.is((await ann('POST', '/graphql', { query: `{ node(id: "${id}") { id } }` })).json.data?.node, null);
    t.is((await ann('GET', secrets)).status, 200);
  }
  t.deepEqual(kernel.metricsText().match(/breaker\{[^\n]*authorizer[^\n]*\} [1-9]/g), null);
  await kernel.stop();
});

test('an invalid policy is refused with its place, and an update is checked like a create', async (t) => {
  const { kernel, request } = await started();
  const refused = await request('POST', policies, policy('bad', 'forbid (principal, action, resource)\nwhen { resource.nope == 1 };'));
  t.is(refused.status, 422);
  t.like(refused.json.details.causes[0], { field: 'spec.cedar', reason: 'FieldValueInvalid' });
  t.regex(refused.json.message, /line 2, column/);
  t.is((await request('POST', policies, policy('good', 'forbid (principal, action, resource is Path);'))).status, 201);
  const broken = { 'content-type': 'application/merge-patch+json' };
  t.is((await request('PATCH', `${policies}/good`, { spec: { cedar: 'permit (principal, action, resource);' } }, broken)).status, 422);
  await kernel.stop();
});

test('a policy that Cedar cannot read is refused, also on a dry run, and the policies there go on being asked', async (t) => {
  const { kernel, request, ann } = await started();
  await request(
    'POST',
    policies,
    policy('no-secrets', 'forbid (principal, action, resource is Object) when { resource.resource == "secrets" };'),
  );
  await eventually(t, async () => (await ann('GET', secrets)).status === 403);
  const deep = `forbid(principal,action,resource) when {${'('.repeat(300)}true${')'.repeat(300)}};`;
  for (let count = 0; count < 6; count += 1) {
    const refused = await request('POST', `${policies}?dryRun=All`, policy('deep', deep));
    t.is(refused.status, 422);
    t.like(refused.json.details.causes[0], { field: 'spec.cedar' });
  }
  t.is((await request('POST', `${policies}?dryRun=All`, policy('fine', 'forbid (principal, action, resource is Path);'))).status, 201);
  t.is((await ann('GET', secrets)).status, 403);
  t.is((await ann('GET', '/api/v1/namespaces/default/configmaps')).status, 200);
  await kernel.stop();
});

test('a policy in shadow mode forbids nothing and is told of', async (t) => {
  const { kernel, request, ann } = await started();
  await request(
    'POST',
    policies,
    policy('try', 'forbid (principal, action, resource is Object) when { resource.resource == "secrets" };', 'Shadow'),
  );
  const shadowDenials = async () =>
    (await request('GET', '/plugins/policies/shadow')).json.items as { policies: string[]; user: string; about: string }[];
  await eventually(t, async () => {
    t.is((await ann('GET', secrets)).status, 200);
    return (await shadowDenials()).length > 0;
  });
  t.like((await shadowDenials())[0], { policies: ['try'], user: 'ann', verb: 'list', about: 'secrets default' });
  t.regex(kernel.metricsText(), /tappaas_access_policy_denials_total\{[^}]*mode="shadow"[^}]*\} [1-9]/);
  await kernel.stop();
});

const secretsInShadow = policy('try', 'forbid (principal, action, resource is Object) when { resource.resource == "secrets" };', 'Shadow');
type ShadowDenial = { policies: string[]; user: string; about: string; error?: string };

test('what somebody may is asked about without being told as done, and what is done again is told once', async (t) => {
  const { kernel, request, ann } = await started();
  t.teardown(async () => void (await kernel.stop()));
  const shadowDenials = async () => (await request('GET', '/plugins/policies/shadow')).json.items as ShadowDenial[];
  await request('POST', policies, secretsInShadow);
  await eventually(t, async () => {
    await ann('GET', secrets);
    return (await shadowDenials()).length === 1;
  });
  const resourceAttributes = { verb: 'get', resource: 'secrets', namespace: 'default', name: 'asked' };
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } };
  t.is((await ann('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review)).status, 201);
  const query = '{ viewer { can(verb: "get", resource: "secrets", namespace: "default", name: "asked") } }';
  t.is((await ann('POST', '/graphql', { query })).json.data.viewer.can, true);
  for (let count = 0; count < 3; count += 1) await ann('GET', secrets);
  t.deepEqual(
    (await shadowDenials()).map(({ about }) => about),
    ['secrets default'],
  );
  const counted = Number(/policy_denials_total\{[^}]*policy="try"[^}]*\} (\d+)/.exec(kernel.metricsText())?.[1]);
  t.true(counted >= 4);
  await ann('POST', '/graphql', { query });
  t.is(Number(/policy_denials_total\{[^}]*policy="try"[^}]*\} (\d+)/.exec(kernel.metricsText())?.[1]), counted);
});

test('a policy that cannot be evaluated is counted and told of by its name, in shadow mode and enforced', async (t) => {
  const { kernel, request, ann } = await started();
  t.teardown(async () => void (await kernel.stop()));
  const cedar = (plural: string) =>
    `forbid (principal, action, resource is Object) when { resource.resource == "${plural}" && context.weekday + 9223372036854775807 > 0 };`;
  t.is((await request('POST', policies, policy('shadowed', cedar('secrets'), 'Shadow'))).status, 201);
  t.is((await request('POST', policies, policy('enforced', cedar('configmaps')))).status, 201);
  await eventually(t, async () => (await ann('GET', '/api/v1/namespaces/default/configmaps')).status === 403);
  t.is((await ann('GET', secrets)).status, 200);
  const [shadowDenials] = (await request('GET', '/plugins/policies/shadow')).json.items as ShadowDenial[];
  t.deepEqual(shadowDenials?.policies, ['shadowed']);
  t.regex(shadowDenials?.error ?? '', /^shadowed: /);
  t.regex(kernel.metricsText(), /policy_denials_total\{[^}]*policy="shadowed",mode="shadow",outcome="error"[^}]*\} [1-9]/);
  t.regex(kernel.metricsText(), /policy_denials_total\{[^}]*policy="enforced",mode="enforce",outcome="error"[^}]*\} [1-9]/);
});

test('whoever is of a tenant is told what shadow mode says about people of that tenant', async (t) => {
  const { kernel, request, ann } = await started();
  t.teardown(async () => void (await kernel.stop()));
  await request('POST', policies, secretsInShadow);
  await eventually(t, async () => {
    await ann('GET', secrets);
    return (await request('GET', '/plugins/policies/shadow')).json.items.length > 0;
  });
  for (const tenant of ['acme', 'rival']) {
    const as = { 'impersonate-user': `of-${tenant}`, 'impersonate-extra-tappaas.dev%2ftenant': tenant };
    await request('POST', '/api/v1/namespaces', { metadata: { name: tenant, labels: { 'tappaas.dev/tenant': tenant } } });
    await request('GET', `/api/v1/namespaces/${tenant}/secrets`, undefined, as);
  }
  const usersFor = async (headers: Record<string, string>) =>
    ((await request('GET', '/plugins/policies/shadow', undefined, headers)).json.items as ShadowDenial[])
      .map(({ user }) => user)
      .toSorted();
  t.deepEqual(await usersFor({ 'impersonate-user': 'boss', 'impersonate-extra-tappaas.dev%2ftenant': 'acme' }), ['of-acme']);
  t.deepEqual(await usersFor({}), ['ann', 'of-acme', 'of-rival']);
});

test('a policy forbids by where a request came from and by who acts as whom, over each transport', async (t) => {
  const { kernel, request, ann } = await started();
  t.teardown(async () => void (await kernel.stop()));
  const when = 'context has impersonator && context.impersonator == "test" && context has address && context.address.isLoopback()';
  const cedar = `forbid (principal, action, resource is Object) when { resource.resource == "secrets" && ${when} };`;
  t.is((await request('POST', policies, policy('acting', cedar))).status, 201);
  await eventually(t, async () => (await ann('GET', secrets)).status === 403);
  const query = '{ secrets(namespace: "default", first: 1) { nodes { metadata { name } } } }';
  t.regex(JSON.stringify((await ann('POST', '/graphql', { query })).json), /forbidden by policy acting/);
  const resourceAttributes = { verb: 'get', resource: 'secrets', namespace: 'default' };
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } };
  t.is((await ann('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review)).json.status.allowed, false);
  t.is((await request('GET', secrets)).status, 200);
});

test('policies see the labels of the object that is asked about', async (t) => {
  const { kernel, request, ann } = await started();
  await request('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'locked', labels: { lock: 'on' } } });
  await request('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'free' } });
  await request(
    'POST',
    policies,
    policy('locks', 'forbid (principal, action in Action::"write", resource is Object) when { resource.hasTag("lock") };'),
  );
  const remove = async (name: string) => (await ann('DELETE', `/api/v1/namespaces/default/configmaps/${name}?dryRun=All`)).status;
  await eventually(t, async () => (await remove('locked')) === 403);
  t.is(await remove('free'), 200);
  await kernel.stop();
});

test('an object that a policy keeps from being deleted is not deleted with its collection either', async (t) => {
  const { kernel, request, ann } = await started();
  const maps = '/api/v1/namespaces/default/configmaps';
  for (let index = 0; index < 25; index += 1) {
    await request('POST', maps, { metadata: { name: `prod-${index}`, labels: { env: 'prod', tier: 'all' } } });
  }
  await request('POST', maps, { metadata: { name: 'test', labels: { env: 'test', tier: 'all' } } });
  const cedar =
    'forbid (principal, action == Action::"delete", resource is Object) when { resource.hasTag("env") && resource.getTag("env") == "prod" };';
  await request('POST', policies, policy('keeps-prod', cedar));
  await eventually(t, async () => (await ann('DELETE', `${maps}/prod-0?dryRun=All`)).status === 403);

  for (const query of ['?labelSelector=env%3Dprod', '?labelSelector=tier%3Dall', '?fieldSelector=metadata.name%3Dprod-3', '']) {
    const { status, json } = await ann('DELETE', `${maps}${query}`);
    t.is(status, 403, query);
    t.regex(json.message, /none was deleted: .*"prod-\d+": forbidden by policy keeps-prod/);
    t.regex(json.details.causes[0].message, /^"prod-\d+"/);
    t.true(json.details.causes.length <= 20);
  }
  t.regex((await ann('DELETE', maps)).json.message, /cannot delete 25 of 2\d resources .*; and 5 more$/);
  const names = async () => (await request('GET', maps)).json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
  t.is((await names()).filter((name: string) => /^prod-|^test$/.test(name)).length, 26);

  t.is((await ann('DELETE', `${maps}?labelSelector=env%3Dtest`)).status, 200);
  t.false((await names()).includes('test'));
  const query = 'mutation { deleteConfigMap(input: { namespace: "default", name: "prod-0" }) { userErrors { code } } }';
  t.regex(JSON.stringify((await ann('POST', '/graphql', { query })).json), /TAP_REQUEST_FORBIDDEN/);
  t.is((await request('DELETE', `${maps}?labelSelector=env%3Dprod`)).status, 200);
  await kernel.stop();
});

/** What the authorizers are asked before a caller acts as somebody else, and the bounds of what may be asked for. */
import type { AccessRequest, Caller } from '@tappaas/sdk';
import test, { type ExecutionContext } from 'ava';
import { startServer } from './running-server.ts';

const path = '/api/v1/namespaces/default/configmaps';
const tenantHeader = 'impersonate-extra-tappaas.dev%2ftenant';

type Headers = Readonly<Record<string, string | string[]>>;

/** The resource of an access question in one line, such as `serviceaccounts shop/web`. */
function resourceOf({ resource }: AccessRequest): string {
  const { group = '', plural, subresource, namespace, name = '' } = resource ?? {};
  const kind = [group, plural, subresource].filter((part) => part !== undefined && part !== '').join('/');
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** A server that lets the administrator impersonate `allowed` and nothing else, and lets everybody do everything else. */
async function startedWith(t: ExecutionContext, allowed: readonly string[]) {
  const requested: string[] = [];
  const acting: Caller[] = [];
  const { ask } = await startServer(t, {
    authorize: (question) => {
      if (question.verb !== 'impersonate') return { decision: 'allow', reason: '' };
      requested.push(resourceOf(question));
      return { decision: allowed.includes(resourceOf(question)) ? 'allow' : 'no-opinion', reason: '' };
    },
    flow: ({ caller }) => {
      acting.push(caller);
      return { release: () => {} };
    },
  });
  const status = async (headers: Headers): Promise<number> => (await ask(path, { headers })).status;
  return { requested, acting, ask, status };
}

const joe = 'users joe';
const rival = 'authentication.k8s.io/userextras/tappaas.dev/tenant rival';
const cases: readonly (readonly [title: string, headers: Headers, questions: readonly string[]])[] = [
  ['a user', { 'impersonate-user': 'joe' }, [joe]],
  ['a user in another tenant', { 'impersonate-user': 'joe', [tenantHeader]: 'rival' }, [joe, rival]],
  ['a user in a group', { 'impersonate-user': 'joe', 'impersonate-group': 'devs' }, [joe, 'groups devs']],
  [
    'a user in two groups and another tenant',
    { 'impersonate-user': 'joe', 'impersonate-group': ['devs', 'ops'], [tenantHeader]: 'rival' },
    [joe, 'groups devs', 'groups ops', rival],
  ],
  ['a service account', { 'impersonate-user': 'system:serviceaccount:shop:web' }, ['serviceaccounts shop/web']],
  [
    'a service account in another tenant',
    { 'impersonate-user': 'system:serviceaccount:shop:web', [tenantHeader]: 'rival' },
    ['serviceaccounts shop/web', rival],
  ],
  [
    'a name that only begins like a service account',
    { 'impersonate-user': 'system:serviceaccount:shop' },
    ['users system:serviceaccount:shop'],
  ],
];

for (const [title, headers, questions] of cases) {
  test(`acting as ${title} needs the right to each part of it`, async (t) => {
    const granted = await startedWith(t, questions);
    t.is(await granted.status(headers), 200);
    t.deepEqual(granted.requested, questions);
    for (const [index, missing] of questions.entries()) {
      const { requested, acting, status } = await startedWith(
        t,
        questions.filter((each) => each !== missing),
      );
      t.is(await status(headers), 403, `without ${missing}`);
      t.deepEqual(requested, questions.slice(0, index + 1));
      t.deepEqual(acting, []);
    }
  });
}

test('whom a caller acts as has the groups and the tenant that were asked for', async (t) => {
  const { acting, status } = await startedWith(t, ['serviceaccounts shop/web', 'groups devs', joe, rival]);
  const account = { 'impersonate-user': 'system:serviceaccount:shop:web' };
  t.is(await status(account), 200);
  t.is(await status({ ...account, 'impersonate-group': 'devs' }), 200);
  t.is(await status({ 'impersonate-user': 'joe', [tenantHeader]: 'rival' }), 200);
  const ofAccount = ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'];
  const seen = acting.map(({ name, groups, tenant, impersonator }) => ({ name, groups, tenant, impersonator }));
  t.deepEqual(seen, [
    { name: 'system:serviceaccount:shop:web', groups: ofAccount, tenant: undefined, impersonator: 'admin' },
    { name: 'system:serviceaccount:shop:web', groups: ['devs', 'system:authenticated'], tenant: undefined, impersonator: 'admin' },
    { name: 'joe', groups: ['system:authenticated'], tenant: 'rival', impersonator: 'admin' },
  ]);
});

test('an impersonation has bounds, and what lies beyond them is refused before anybody is asked', async (t) => {
  const groups = Array.from({ length: 65 }, (_, index) => `group-${index}`);
  const longest = 'n'.repeat(256);
  const allowed = [joe, `users ${longest}`, `groups ${longest}`, ...groups.map((each) => `groups ${each}`)];
  const { requested, acting, ask, status } = await startedWith(t, allowed);
  const beyond: readonly Headers[] = [
    { 'impersonate-user': 'joe', 'impersonate-group': groups },
    { 'impersonate-user': `${longest}n` },
    { 'impersonate-user': 'joe', 'impersonate-group': `${longest}n` },
    { 'impersonate-user': 'joe', [tenantHeader]: `${longest}n` },
    { 'impersonate-user': 'joe', 'impersonate-group': 'd\u00e9vs' },
    { 'impersonate-user': 'joe\tanna' },
    { 'impersonate-user': 'joe', [tenantHeader]: '' },
    { 'impersonate-user': 'joe', [tenantHeader]: ['acme', 'rival'] },
    { [tenantHeader]: 'rival' },
  ];
  for (const headers of beyond) {
    const answer = await ask(path, { headers });
    t.is(answer.status, 400, answer.text);
    t.is(answer.json.details.code, 'TAP_REQUEST_HEADER_INVALID');
  }
  t.deepEqual(requested, []);
  t.is(await status({ 'impersonate-user': 'joe', 'impersonate-group': groups.slice(1) }), 200);
  t.is(await status({ 'impersonate-user': longest, 'impersonate-group': longest }), 200);
  t.deepEqual(
    acting.map((each) => each.groups.length),
    [65, 2],
  );
});

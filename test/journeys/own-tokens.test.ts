/** API tokens and who has what of them, as the six people of the access matrix, over the API and with the command line. */
import test, { type ExecutionContext } from 'ava';
import { call, eventually, platformHome, storeOnly, type ApiAnswer, type Connection, type PlatformHome } from '../platform-process.ts';
import { printedToken } from '../printed-token.ts';

const rbac = '/apis/rbac.authorization.k8s.io/v1';
const tokens = '/apis/identity.tappaas.dev/v1alpha1/apitokens';

const people = ['other-tenant', 'viewer', 'developer', 'tenant-admin', 'platform-admin'] as const;
type Person = (typeof people)[number];
const tenants: Readonly<Record<Person, string | undefined>> = {
  'other-tenant': 'rival',
  viewer: 'acme',
  developer: 'acme',
  'tenant-admin': 'acme',
  'platform-admin': undefined,
};

interface World {
  readonly home: PlatformHome;
  readonly admin: Connection;
  readonly people: Readonly<Record<Person, Connection>>;
}

let world: World;
const undo: (() => Promise<unknown>)[] = [];

test.before('a platform with two tenants runs', async (t) => {
  t.timeout(180_000);
  const home = await platformHome({
    plugins: { ...storeOnly, metrics: null, roles: { use: '@tappaas/access-rbac' }, tokens: { use: '@tappaas/identity-token' } },
  });
  undo.push(() => home.remove());
  const platform = await home.start();
  undo.push(() => platform.stop());
  const admin = platform.connection;
  const make = async (path: string, object: object): Promise<ApiAnswer> => {
    const answer = await call(admin, 'POST', path, object);
    t.true(answer.status < 300, answer.text);
    return answer;
  };
  const binding = (name: string, role: string, ...users: string[]) => ({
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: users.map((user) => ({ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' })),
  });
  await make('/api/v1/namespaces', { metadata: { name: 'shop', labels: { 'tappaas.dev/tenant': 'acme' } } });
  await make(`${rbac}/clusterrolebindings`, binding('tenant-admins', 'tenant-admin', 'tenant-admin', 'other-tenant'));
  await make(`${rbac}/clusterrolebindings`, binding('platform-admins', 'platform-admin', 'platform-admin'));
  await make(`${rbac}/namespaces/shop/rolebindings`, binding('viewers', 'viewer', 'viewer'));
  await make(`${rbac}/namespaces/shop/rolebindings`, binding('developers', 'developer', 'developer'));
  const credential = async (person: Person): Promise<Connection> => {
    const tenant = tenants[person];
    await make(tokens, {
      metadata: { name: `of-${person}` },
      spec: { user: person, ...(tenant === undefined ? { withoutTenant: true } : { tenant }) },
    });
    const issued = await make(`${tokens}/of-${person}/issue`, {});
    return { ...admin, token: issued.json<{ token: string }>().token };
  };
  const made = await Promise.all(people.map(async (person) => [person, await credential(person)] as const));
  world = { home, admin, people: Object.fromEntries(made) as World['people'] };
  await eventually(
    () => Promise.all(people.map((person) => call(world.people[person], 'GET', tokens))),
    (answers) => answers.every(({ status }) => status === 200),
  );
  await eventually(
    () => listed(t, 'tenant-admin'),
    (names) => names.length === 3,
  );
});

test.after.always('the platform is stopped', async () => {
  for (const stop of undo.toReversed()) await stop();
});

async function listed(t: ExecutionContext, person: Person): Promise<readonly string[]> {
  const answer = await call(world.people[person], 'GET', tokens);
  t.is(answer.status, 200, answer.text);
  return answer.json<{ items: { metadata: { name: string } }[] }>().items.map(({ metadata }) => metadata.name);
}

const own = (person: Person): string => `own-${person}`;

test.serial('everybody who is known makes a token of their own, uses it, and sees it; who is not known makes none', async (t) => {
  for (const person of people) {
    const mine = world.people[person];
    const created = await call(mine, 'POST', tokens, { metadata: { name: own(person) }, spec: {} });
    t.is(created.status, 201, created.text);
    t.like(created.json<{ spec: object }>().spec, { user: person });
    t.is(created.json<{ spec: { tenant?: string } }>().spec.tenant, tenants[person]);
    const issued = await call(mine, 'POST', `${tokens}/${own(person)}/issue`, {});
    t.is(issued.status, 200, issued.text);
    const { token } = issued.json<{ token: string }>();
    t.is((await call({ ...mine, token }, 'GET', `${tokens}/${own(person)}`)).status, 200);
  }
  t.is((await call({ ...world.admin, token: '' }, 'POST', tokens, { metadata: { name: 'nobodys' }, spec: {} })).status, 401);
});

test.serial(
  'a list shows one’s own tokens, the tenant’s to who administers the tenant, and all to who administers the platform',
  async (t) => {
    const both = (...whose: readonly Person[]): readonly string[] => whose.flatMap((person) => [`of-${person}`, own(person)]).toSorted();
    for (const person of ['other-tenant', 'viewer', 'developer'] as const)
      t.deepEqual([...(await listed(t, person))].toSorted(), both(person));
    t.deepEqual([...(await listed(t, 'tenant-admin'))].toSorted(), both('viewer', 'developer', 'tenant-admin'));
    t.deepEqual([...(await listed(t, 'platform-admin'))].toSorted(), both(...people));
    const chosen = await call(world.people.viewer, 'GET', `${tokens}?fieldSelector=spec.user%3Ddeveloper`);
    t.deepEqual(chosen.json<{ items: unknown[] }>().items, [], 'a selector selects among one’s own');
    const asked = { query: '{ apiTokens(first: 50) { nodes { name } } }' };
    const received = await call(world.people.viewer, 'POST', '/graphql', asked);
    t.true(received.text.includes('own-viewer') && !received.text.includes('own-developer'), received.text);
  },
);

test.serial(
  'what was made with a token ends when that one is revoked, ends no later, and is no way to another one of its owner',
  async (t) => {
    const mine = world.people.viewer;
    const make = async (as: Connection, name: string, spec: object = {}): Promise<Connection> => {
      const created = await call(as, 'POST', tokens, { metadata: { name }, spec });
      t.is(created.status, 201, created.text);
      const issued = await call(as, 'POST', `${tokens}/${name}/issue`, {});
      t.is(issued.status, 200, issued.text);
      return { ...as, token: issued.json<{ token: string }>().token };
    };
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const short = await make(mine, 'short', { expiresAt });
    const child = await make(short, 'child');
    const grandchild = await make(child, 'grandchild');
    const spec = (await call(mine, 'GET', `${tokens}/grandchild`)).json<{ spec: { expiresAt: string; madeWith: { name: string } } }>().spec;
    t.is(new Date(spec.expiresAt).getTime(), new Date(expiresAt).getTime());
    t.is(spec.madeWith.name, 'child');
    const longer = await call(short, 'POST', tokens, {
      metadata: { name: 'longer' },
      spec: { expiresAt: new Date(Date.now() + 7_200_000).toISOString() },
    });
    t.is(longer.status, 403);
    t.regex(longer.text, /made with the token \\"short\\"/);
    const merge = 'application/merge-patch+json';
    t.is((await call(short, 'PATCH', `${tokens}/child`, { spec: { expiresAt: null } }, merge)).status, 403);
    const stolen = await call(short, 'POST', `${tokens}/${own('viewer')}/issue`, {});
    t.is(stolen.status, 403);
    t.regex(stolen.text, /was not made with the token \\"short\\" that you use/);
    t.is((await call(short, 'POST', `${tokens}/child/issue?dryRun=All`, {})).status, 200);
    t.is((await call(mine, 'DELETE', `${tokens}/short`)).status, 200);
    for (const each of [short, child, grandchild]) {
      await eventually(
        () => call(each, 'GET', '/version'),
        ({ status }) => status === 401,
      );
    }
    await eventually(
      () => listed(t, 'viewer'),
      (names) => names.length === 2,
    );
  },
);

test.serial('nobody below the administrators reads, changes, issues or revokes what is somebody else’s', async (t) => {
  const merge = 'application/merge-patch+json';
  const others: readonly [Person, Person][] = [
    ['viewer', 'developer'],
    ['developer', 'tenant-admin'],
    ['other-tenant', 'tenant-admin'],
    ['tenant-admin', 'other-tenant'],
    ['tenant-admin', 'platform-admin'],
  ];
  for (const [person, whose] of others) {
    const at = `${tokens}/${own(whose)}`;
    const as = world.people[person];
    const absent = (await call(as, 'GET', `${tokens}/absent`)).text.replaceAll('absent', own(whose));
    const read = await call(as, 'GET', at);
    t.is(read.status, 403);
    t.is(
      read.text.replace(/"requestId":"[^"]*"/, ''),
      absent.replace(/"requestId":"[^"]*"/, ''),
      'the words are those of what is not there',
    );
    t.is((await call(as, 'PATCH', at, { spec: { description: 'mine' } }, merge)).status, 403);
    t.is((await call(as, 'POST', `${at}/issue`, {})).status, 403);
    t.is((await call(as, 'DELETE', at)).status, 403);
  }
  t.is((await call(world.people['tenant-admin'], 'POST', `${tokens}/${own('viewer')}/issue`, {})).status, 403, 'it would be the viewer');
  t.is((await call(world.people.viewer, 'DELETE', tokens)).status, 403);
  const forOther = { metadata: { name: 'for-other' }, spec: { user: 'developer', tenant: 'acme' } };
  t.is((await call(world.people['tenant-admin'], 'POST', tokens, forOther)).status, 403);
});

test.serial('one’s own tokens are revoked by oneself, the tenant’s by its administrator, and any by the platform’s', async (t) => {
  const revoke = (person: Person, whose: Person) => call(world.people[person], 'DELETE', `${tokens}/${own(whose)}`);
  t.is((await revoke('viewer', 'viewer')).status, 200);
  t.is((await revoke('tenant-admin', 'developer')).status, 200);
  t.is((await revoke('platform-admin', 'other-tenant')).status, 200);
  await eventually(
    () => listed(t, 'platform-admin'),
    (names) => names.filter((name) => name.startsWith('own-')).length === 2,
  );
});

test.serial('a developer makes, lists, describes and revokes a token with the command line as the documentation shows', async (t) => {
  t.timeout(180_000);
  const { home, admin, people: known } = world;
  const run = async (...words: readonly string[]) => {
    const ran = await home.tappaas(...words);
    t.is(ran.code, 0, `${words.join(' ')}: ${ran.stderr}`);
    return ran.stdout;
  };
  await run('login', admin.server, '--token', known.developer.token, '--certificate-authority', 'data/ca.pem');
  const words = ['--namespaces', 'shop', '--verbs', 'get,list,watch', '--expires', '30d', '--description', 'dashboard of the shop'];
  const token = printedToken(await home.tappaas('token', 'create', 'ci', ...words));
  const ci: Connection = { ...admin, token };
  t.is((await call(ci, 'GET', '/api/v1/namespaces/shop/configmaps')).status, 200);
  t.is((await call(ci, 'POST', '/api/v1/namespaces/shop/configmaps', { metadata: { name: 'x' } })).status, 403);
  t.is((await call(ci, 'GET', tokens)).status, 403, 'what lies in no namespace is outside of its scope');
  t.regex(await run('token', 'list'), /^ci +developer +Issued/m);
  t.regex(await run('token', 'describe', 'ci'), /Tenant +acme\nNamespaces +shop\nVerbs +get, list, watch/);
  t.regex(await run('token', 'revoke', 'ci'), /is revoked/);
  await run('logout');
});

test.serial('a login names a namespace that its owner can use: members of a tenant have none of the name default', async (t) => {
  const { home, admin, people: known } = world;
  const logIn = async (token: string) => {
    const { stdout, stderr, code } = await home.tappaas('login', admin.server, '--certificate-authority', 'data/ca.pem', '--token', token);
    t.is(code, 0, stderr);
    return /Next: .*/.exec(stdout)?.[0];
  };
  t.regex((await logIn(known.developer.token)) ?? '', /tappaas apps -n shop, or (npx )?tappaas deploy DIRECTORY -n shop$/);
  t.regex((await logIn(admin.token)) ?? '', /tappaas apps, or (npx )?tappaas deploy DIRECTORY$/);
});

test.serial('who may not do it in the default namespace, and has named none, is reminded of -n', async (t) => {
  const { home, admin, people: known } = world;
  const asDeveloper = { TAPPAAS_SERVER: admin.server, TAPPAAS_TOKEN: known.developer.token };
  const remedy = async (env: Readonly<Record<string, string>>, ...words: readonly string[]) => {
    const { code, stderr } = await run(home, { ...asDeveloper, ...env }, ...words);
    t.is(code, 1, stderr);
    t.regex(stderr, /Ask an administrator for a role/);
    return stderr.includes('Name the namespace with -n NAMESPACE if you did not mean "default".');
  };
  t.true(await remedy({}, 'events'));
  t.false(await remedy({}, 'events', '-n', 'default'), 'it was meant');
  t.false(await remedy({ TAPPAAS_NAMESPACE: 'default' }, 'events'), 'it was meant');
  t.false(await remedy({}, 'events', '-A'), 'no namespace was asked about');
});

async function run(home: PlatformHome, env: Readonly<Record<string, string>>, ...words: readonly string[]) {
  const child = home.begin(words, env);
  let stderr = '';
  child.stdout.resume();
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const code = await new Promise<number>((done) => void child.once('close', (ended) => done(ended ?? -1)));
  return { code, stderr };
}

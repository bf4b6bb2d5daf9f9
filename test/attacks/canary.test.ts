/** Secrets as canaries: put in where secrets go in, and searched for in everything that comes out. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openSession, runsKubectl } from '../kubectl-session.ts';
import { call, type Connection } from '../platform-process.ts';
import { formsOf, isClean as searchFor } from './canaries.ts';
import { make, runPlatform, type RunningPlatform } from './running-platform.ts';

const canary = 'canary-8c1f2b7e93d04a55';
const secrets = '/api/v1/namespaces/default/secrets';
const json = 'application/json';

let running: RunningPlatform;
let admin: Connection;
let mine: Connection;
const undo: (() => Promise<void>)[] = [];

test.before('a platform runs that records everything it may', async (t) => {
  t.timeout(180_000);
  running = await runPlatform(
    { local: null, audit: { use: '@tappaas/telemetry-audit-file', config: { directory: './data/audit' } } },
    { audit: { level: 'RequestResponse', omitStages: [] } },
  );
  undo.push(() => running.stop());
  admin = running.connection;
  mine = await running.as('somebody');
  await make(admin, secrets, { metadata: { name: 'kept' }, type: 'Opaque', stringData: { password: canary } });
});

test.after.always('the platform is stopped', async () => {
  for (const stop of undo) await stop();
});

const isClean = (t: ExecutionContext, where: string, text: string, more: readonly string[] = []): void =>
  searchFor(t, where, text, [...formsOf(canary), ...more]);

/** Writes of a Secret with every mistake that is reported with a message. */
const wrong: readonly (readonly [what: string, method: string, path: string, body: string, type: string])[] = [
  ['broken JSON', 'POST', secrets, `{"metadata":{"name":"x"},"stringData":{"password":"${canary}"`, json],
  ['a stray word', 'POST', secrets, `{"stringData":{"password":"${canary}" oops}}`, json],
  ['broken YAML', 'POST', secrets, `stringData:\n  password: ${canary}\n bad: [`, 'application/yaml'],
  ['a key twice', 'POST', secrets, `{"metadata":{"name":"x"},"stringData":{"a":"${canary}","a":"${canary}"}}`, json],
  ['no base64', 'POST', secrets, `{"metadata":{"name":"x"},"data":{"password":"${canary}!"}}`, json],
  ['a map for a word', 'POST', secrets, `{"metadata":{"name":"x"},"stringData":{"password":{"a":"${canary}"}}}`, json],
  ['a word for a map', 'POST', secrets, `{"metadata":{"name":"x"},"stringData":"${canary}"}`, json],
  ['a list for a map', 'POST', secrets, `{"metadata":{"name":"x"},"data":["${canary}"]}`, json],
  ['no name', 'POST', secrets, `{"stringData":{"password":"${canary}"}}`, json],
  ['another type', 'POST', secrets, `{"metadata":{"name":"x"},"type":"kubernetes.io/tls","stringData":{"password":"${canary}"}}`, json],
  [
    'a JSON patch that tests',
    'PATCH',
    `${secrets}/kept`,
    `[{"op":"test","path":"/data/password","value":"${canary}"}]`,
    'application/json-patch+json',
  ],
  [
    'a JSON patch of no path',
    'PATCH',
    `${secrets}/kept`,
    `[{"op":"replace","path":"/data/x/y","value":"${canary}"}]`,
    'application/json-patch+json',
  ],
  ['a merge patch of a map', 'PATCH', `${secrets}/kept`, `{"data":{"password":{"a":"${canary}"}}}`, 'application/merge-patch+json'],
  [
    'an apply that conflicts',
    'PATCH',
    `${secrets}/kept?fieldManager=other`,
    `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"kept"},"data":{"password":"${Buffer.from(`${canary}2`).toString('base64')}"}}`,
    'application/apply-patch+yaml',
  ],
  [
    'a change of what is immutable',
    'PUT',
    `${secrets}/kept`,
    `{"metadata":{"name":"kept"},"type":"other","stringData":{"password":"${canary}"}}`,
    json,
  ],
  [
    'another version',
    'PUT',
    `${secrets}/kept`,
    `{"metadata":{"name":"kept","resourceVersion":"1"},"stringData":{"password":"${canary}"}}`,
    json,
  ],
];

test.serial('a Secret that is refused is refused without its values', async (t) => {
  for (const [what, method, path, body, type] of wrong) {
    const { status, text } = await call(admin, method, `${path}${path.includes('?') ? '&' : '?'}fieldValidation=Strict`, body, type);
    t.true(status >= 400 && status < 500, `${what}: ${status} ${text.slice(0, 300)}`);
    isClean(t, what, text);
  }
});

test.serial('credentials that are refused are not repeated', async (t) => {
  const headers: readonly Readonly<Record<string, string>>[] = [
    { authorization: `Bearer ${canary}` },
    { authorization: `Basic ${Buffer.from(`user:${canary}`).toString('base64')}` },
    { authorization: `Bearer tapp_000000000000_${canary.padEnd(43, 'x')}` },
    { authorization: `Bearer e30.${Buffer.from(canary).toString('base64url')}.x` },
    { authorization: '', cookie: `session=${canary}` },
    { authorization: '', 'x-api-key': canary },
  ];
  for (const each of headers) {
    const { status, text } = await call(admin, 'GET', secrets, undefined, undefined, each);
    t.is(status, 401);
    isClean(t, JSON.stringify(Object.keys(each)), text);
  }
  for (const name of ['token', 'access_token', 'password', 'api_key']) {
    isClean(t, name, (await call(admin, 'GET', `/api/v1/namespaces/default/configmaps/absent?${name}=${canary}`)).text);
  }
});

test.serial('what is asked of GraphQL about a Secret is not repeated in its errors', async (t) => {
  const create = 'mutation C($input: CreateSecretInput!) { createSecret(input: $input) { userErrors { message } } }';
  const entry = [{ key: 'password', value: canary }];
  for (const input of [
    { namespace: 'default', name: 'no/name', stringData: entry },
    { namespace: 'absent', name: 'x', stringData: entry },
    { namespace: 'default', name: 'x', data: [{ key: 'password', value: `${canary}!` }] },
    { namespace: 'default', name: 'x', stringData: { password: canary } },
    { namespace: 'default', name: 'x', surprise: canary },
  ]) {
    isClean(t, JSON.stringify(Object.keys(input)), (await call(admin, 'POST', '/graphql', { query: create, variables: { input } })).text);
  }
});

test.serial('nothing that the platform tells holds a secret: pages, lists, metrics, documents, audit, events', async (t) => {
  const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  const tokens = [admin.token, mine.token].map((token) => token.slice(-43));
  for (const path of [
    '/metrics',
    '/api',
    '/apis',
    '/version',
    '/readyz?verbose',
    '/openapi/v3',
    '/openapi/v3/api/v1',
    '/audit?limit=500',
  ]) {
    isClean(t, path, (await call(admin, 'GET', path)).text, tokens);
  }
  for (const path of ['/api/v1/events', '/apis/platform.tappaas.dev/v1alpha1/plugins', '/apis/identity.tappaas.dev/v1alpha1/apitokens']) {
    const { status, text } = await call(admin, 'GET', path);
    t.is(status, 200, path);
    isClean(t, path, text, tokens);
  }
  isClean(t, 'a table', (await call(admin, 'GET', secrets, undefined, undefined, table)).text);
  for (const served of running.platform.paths()) {
    if (!/^GET \/plugins\/[^:]*$/.test(served)) continue;
    isClean(t, served, (await call(admin, 'GET', served.slice(4))).text, tokens);
  }
});

const described = runsKubectl ? test.serial : test.serial.skip;
described('kubectl describes a Secret by its sizes', async (t) => {
  const session = openSession(join(running.directory, 'data/kubeconfig'), join(running.directory, 'kubectl'));
  const { code, stdout, stderr } = await session.run(['describe', 'secret', 'kept']);
  t.is(code, 0, stderr);
  t.regex(stdout, new RegExp(`password: +${canary.length} bytes`));
  isClean(t, 'describe', stdout);
  isClean(t, 'get', (await session.run(['get', 'secrets', '-o', 'wide'])).stdout);
});

test.serial('a text of a caller forges no line of the log', async (t) => {
  const forged = '{"time":"2026-01-01T00:00:00.000Z","level":"error","message":"forged"}';
  let last = '';
  for (const text of [
    `\n${forged}`,
    `\r\n${forged}`,
    `\u2028${forged}`,
    `\u0085${forged}`,
    `\u001b[2K${forged}`,
    `"}\n${forged}`,
    `\u202e${forged}`,
  ]) {
    const at = encodeURIComponent(text);
    await call(admin, 'GET', `/api/v1/namespaces/default/configmaps/${at}?fieldManager=${at}&labelSelector=${at}`);
    await call(admin, 'GET', `/api/v1/namespaces/default/configmaps?fieldManager=${at}&labelSelector=${at}`);
    await call(admin, 'POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: text, labels: { a: text } } });
    await call(admin, 'POST', '/graphql', { query: `{ ${text} }`, operationName: text });
    await call(admin, 'GET', secrets, undefined, undefined, { 'impersonate-user': at, 'user-agent': at });
    last = at;
  }
  // Lines are gathered before they are written.
  let audited = await auditLines();
  while (!audited.some((line) => line.includes(`"userAgent":"${last}"`))) audited = await auditLines();
  t.true(audited.length > 20);
  for (const line of [...running.logged, ...audited]) {
    const body = line.replace(/\n$/, '');
    t.notRegex(body, /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
    const { message } = JSON.parse(body) as { readonly message?: string };
    t.not(message, 'forged');
  }
});

async function auditLines(): Promise<readonly string[]> {
  const folder = join(running.directory, 'data/audit');
  const files = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')));
  return files.flatMap((text) => text.split('\n')).filter((line) => line !== '');
}

test.serial('no line of the log and no file that the platform keeps holds a secret, but the kubeconfig its own token', async (t) => {
  const tokens = [admin.token, mine.token].map((token) => token.slice(-43));
  isClean(t, 'the log', running.logged.join(''), tokens);
  const entries = await readdir(running.directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  t.true(files.length > 5);
  for (const file of files) {
    if (file.includes('node_modules')) continue;
    isClean(t, file, await readFile(file, 'latin1'), file.endsWith('kubeconfig') ? tokens.slice(1) : tokens);
  }
});

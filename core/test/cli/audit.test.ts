import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { csvHead, csvLine, auditTable } from '../../dist/cli/audit-table.js';
import { runCommandLine } from '../../dist/cli/command-line.js';
import { genesis } from '../../dist/telemetry/audit/chain.js';
import { CheckpointFiles } from '../../dist/telemetry/audit/checkpoint-files.js';
import { openSigningKey } from '../../dist/telemetry/audit/signing-key.js';
import { ChainWriter } from '../telemetry/audit/chain-writer.ts';

const scratch = await mkdtemp(join(tmpdir(), 'audit-cli-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

const at = Date.UTC(2026, 0, 2);
const event = (n: number, user = 'ann') => ({
  auditID: `r0-${n}`,
  stage: 'ResponseComplete',
  verb: n % 2 === 0 ? 'get' : 'create',
  requestURI: '/x',
  user: { username: user },
  objectRef: { resource: 'pods', namespace: 'shop', name: `p${n}` },
  responseStatus: { code: 200 },
  requestReceivedTimestamp: new Date(at + n * 60_000).toISOString(),
  stageTimestamp: new Date(at + n * 60_000).toISOString(),
});
const hostile = { chain: 'r0', sequence: 1, event: event(1, '=cmd|\u001b[2J\n"x"') };

async function place(): Promise<string> {
  const directory = await mkdtemp(join(scratch, 'case-'));
  const chain = new ChainWriter('r0', genesis);
  const lines = Array.from({ length: 10 }, (_, n) => chain.append(JSON.stringify(event(n + 1, n < 5 ? 'ann' : 'joe'))).text);
  await mkdir(join(directory, 'data/audit'), { recursive: true });
  await writeFile(join(directory, 'data/audit/r0-0000000000000001.audit'), `${lines.slice(0, 6).join('\n')}\n`);
  await writeFile(join(directory, 'data/audit/r0-0000000000000007.audit'), `${lines.slice(6).join('\n')}\n{"chain":"r0","seq`);
  const key = await openSigningKey(join(directory, 'keys/audit.pem'));
  const checkpoints = await CheckpointFiles.open({ directory: join(directory, 'data/audit-checkpoints'), chain: 'r0', key });
  await checkpoints.write({ chain: 'r0', ...chain.end, at: new Date(at).toISOString(), appended: chain.end.sequence, final: true });
  await checkpoints.close();
  return directory;
}

const run = (cwd: string, ...words: readonly string[]) => runWith({ TAPPAAS_HOME: '/nowhere' }, cwd, ...words);

async function runWith(env: Readonly<Record<string, string>>, cwd: string, ...words: readonly string[]) {
  let [stdout, stderr] = ['', ''];
  const code = await runCommandLine({
    arguments: ['audit', ...words],
    env,
    cwd,
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    input: () => process.stdin,
    onResize: () => {},
    nowMs: () => at + 10 * 60_000,
    sections: async () => ({}),
    audit: () => import('../../dist/telemetry/audit/offline.js'),
    startPlatform: async () => 0,
  });
  return { code, stdout, stderr };
}

test('no text of a caller moves the cursor of whoever reads the table, or becomes a formula of a spreadsheet', (t) => {
  const table = auditTable([hostile]);
  t.is(table.split('\n').length, 3);
  t.false(table.includes('\u001b'));
  t.is(csvLine(hostile).split('","')[1], `'=cmd|\\u001b[2J\\u000a""x""`);
  t.is(csvHead.split(',').length, csvLine(hostile).split('","').length);
});

test('the table and CSV say why an access was refused, and of what failed for another reason its error alone', (t) => {
  const item = (decision: string, error: string) => ({
    chain: 'r0',
    sequence: 1,
    event: {
      ...event(1),
      annotations: {
        'authorization.k8s.io/decision': decision,
        'authorization.k8s.io/reason': 'it is not within the tenant acme',
        'tappaas.dev/error': error,
      },
    },
  });
  const refused = item('forbid', 'TAP_REQUEST_FORBIDDEN');
  t.regex(auditTable([refused]), /TAP_REQUEST_FORBIDDEN: it is not within the tenant acme/);
  t.regex(csvLine(refused), /"TAP_REQUEST_FORBIDDEN: it is not within the tenant acme"/);
  t.regex(csvLine(item('allow', 'TAP_OBJECT_CONFLICT')), /"TAP_OBJECT_CONFLICT"/);
});

test('the table shows which operation a GraphQL request was, and what each of its parts was about', (t) => {
  const { objectRef, ...request } = event(2);
  const requested = { ...request, requestURI: '/graphql', annotations: { 'graphql.operation': 'mutation Deploy' } };
  const table = auditTable([
    { chain: 'r0', sequence: 1, event: { ...requested, objectRef } },
    { chain: 'r0', sequence: 2, event: requested },
  ]);
  t.regex(table, / pods shop\/p2 /);
  t.regex(table, / \/graphql mutation Deploy /);
});

test('files are searched newest first, across their borders, without what is not finished', async (t) => {
  const directory = await place();
  const { stdout, code } = await run(directory, 'search', '--directory', 'data/audit', '--user', 'joe', '-o', 'json');
  t.is(code, 0);
  t.deepEqual(
    (JSON.parse(stdout) as { sequence: number }[]).map(({ sequence }) => sequence),
    [10, 9, 8, 7, 6],
  );
  const recent = await run(directory, 'search', '--directory', 'data/audit', '--since', '3m', '-o', 'json');
  t.is((JSON.parse(recent.stdout) as unknown[]).length, 4);
  const exported = await run(directory, 'export', '--directory', 'data/audit', '--verb', 'get', '--limit', '2');
  t.deepEqual(
    exported.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { sequence: number }).sequence),
    [2, 4],
  );
  t.regex((await run(directory, 'tail', '--directory', 'data/audit', '--limit', '1')).stdout, /p10/);
});

/** A platform that shows a line, is away for two requests, shows a second line, and then refuses. `requested` receives what it is asked for. */
async function platformThatGoesAway(t: ExecutionContext, requested: string[]): Promise<string> {
  const page = (n: number) => ({ items: [{ chain: 'r0', sequence: n, event: event(n) }], newest: n });
  const turns = [page(1), 'away', 'away', page(2)];
  const server = createServer(({ url = '', socket }, answer) => {
    const say = (status: number, body: object): void => {
      answer.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
      answer.end(JSON.stringify(body));
    };
    const [turn] = turns;
    if (turn === undefined) return say(403, { kind: 'Status', code: 403, reason: 'Forbidden', message: 'no more' });
    if (typeof turn === 'object' && url === '/audit/chains') return say(200, { items: ['r0'] });
    requested.push(url);
    turns.shift();
    return typeof turn === 'object' ? say(200, turn) : socket.destroy();
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('the log is followed from the line last shown, also when the platform goes away right after it', async (t) => {
  const requested: string[] = [];
  const url = await platformThatGoesAway(t, requested);
  const env = { TAPPAAS_HOME: '/nowhere', TAPPAAS_SERVER: url, TAPPAAS_TOKEN: 'tapp_x' };
  const { code, stdout, stderr } = await runWith(env, scratch, 'tail', '-f', '-o', 'json');
  const shown = stdout.trim().split('\n');
  t.deepEqual(
    shown.map((line) => (JSON.parse(line) as { sequence: number }).sequence),
    [1, 2],
    stderr,
  );
  t.regex(requested.at(-1) ?? '', /[?&]after=1(?:&|$)/);
  t.is(code, 1);
  t.regex(stderr, /no more/);
});

test('a log is verified without a platform; a key that is not trusted vouches for nothing', async (t) => {
  const directory = await place();
  const good = await run(directory, 'verify');
  t.is(good.code, 0);
  t.is((await run(directory, 'verify', '--require-checkpoints')).code, 0);
  t.regex(good.stdout, /^r0 +good: 10 lines, 1 to 10, vouched for up to 10\n$/);
  await openSigningKey(join(directory, 'other.pem'));
  const { publicPem } = await openSigningKey(join(directory, 'other.pem'));
  await writeFile(join(directory, 'other-public.pem'), publicPem);
  const other = await run(directory, 'verify', '--key', 'other-public.pem');
  t.is((await run(directory, 'verify', '--key', 'other-public.pem', '--require-checkpoints')).code, 1);
  t.regex(other.stdout, /vouched for by nothing\n +checkpoints are signed by the key \w+, which is not trusted here/);
});

test('without any checkpoint, what there is is verified, that nothing vouches for it is said, and is a failure for who asks for that', async (t) => {
  const directory = await place();
  await rm(join(directory, 'data/audit-checkpoints/r0.checkpoints'));
  const { code, stdout, stderr } = await run(directory, 'verify');
  t.is(code, 0, stderr);
  t.regex(
    stdout,
    /^r0 +UNVOUCHED: 10 lines, 1 to 10, vouched for by nothing\n +NO checkpoint vouches for any of these lines: .* first start; .* taken away.*--require-checkpoints/,
  );
  t.is((await run(directory, 'verify', '--require-checkpoints')).code, 1);
  await rm(join(directory, 'data/audit-checkpoints'), { recursive: true });
  const without = await run(directory, 'verify');
  t.is(without.code, 1);
  t.regex(without.stderr, /^tappaas: there is no \S+audit-checkpoints\n +The platform makes .* first start/);
});

test('a log of which every file is gone is missed', async (t) => {
  const directory = await place();
  await rm(join(directory, 'data/audit'), { recursive: true });
  await mkdir(join(directory, 'data/audit'));
  const { code, stdout } = await run(directory, 'verify');
  t.is(code, 1);
  t.regex(stdout, /BAD at line 1: lines 1 to 10 were cut off/);
});

test('a wrong command line is a usage error that names what is expected', async (t) => {
  const directory = await place();
  t.is((await run(directory, 'delete')).code, 64);
  const yesterday = await run(directory, 'search', '--directory', 'data/audit', '--since', 'yesterday');
  t.is(yesterday.code, 64);
  t.regex(
    yesterday.stderr,
    /--since yesterday: expected a time, or how long ago it was\n.*--since 2h, 30m or 7d, or a time as in ISO 8601/,
  );
  t.is((await run(directory, 'tail', '--limit', '-1')).code, 64);
  t.is((await run(directory, 'tail', '-f', '--directory', 'data/audit')).code, 64);
  t.regex((await run(directory, 'verify', '--directory', 'nowhere')).stderr, /nowhere/);
});

import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { eventually, platformHome, storeOnly, type PlatformHome, type PlatformProcess } from '../platform-process.ts';

const canary = 'canary-5f1c0f7e';
const plugins = {
  ...storeOnly,
  audit: { use: '@tappaas/telemetry-audit-file', config: { directory: './data/audit' } },
};

async function home(t: ExecutionContext, audit: object = {}): Promise<PlatformHome> {
  const made = await platformHome({ plugins });
  t.teardown(() => made.remove());
  const file = join(made.directory, 'tappaas.yaml');
  await writeFile(file, JSON.stringify({ ...(JSON.parse(await readFile(file, 'utf8')) as object), audit }));
  return made;
}

async function logOf({ directory }: PlatformHome): Promise<string> {
  const folder = join(directory, 'data/audit');
  const files = (await readdir(folder)).toSorted();
  return (await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))).join('');
}

interface Found {
  readonly items: readonly {
    readonly sequence: number;
    readonly event: { readonly verb: string; readonly objectRef?: { readonly name?: string } };
  }[];
}

async function search(platform: PlatformProcess, query: string): Promise<Found['items']> {
  const answer = await platform.api('GET', `/audit?${query}`);
  return answer.status === 200 ? answer.json<Found>().items : [];
}

/** Lines are gathered for a moment before they are kept. */
function found(platform: PlatformProcess, query: string, count: number): Promise<Found['items']> {
  return eventually(
    () => search(platform, query),
    (items) => items.length >= count,
  );
}

test('each step of what somebody did is found in the audit log, after a crash too, and the log can be verified', async (t) => {
  t.timeout(120_000);
  const place = await home(t);
  let platform = await place.start();
  await platform.api('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { generateName: 'shop-' } });
  const [created] = await found(platform, 'resource=namespaces&verb=create', 1);
  t.regex(created?.event.objectRef?.name ?? '', /^shop-.+/, 'the name that a create has made up is recorded');
  await platform.kill();
  const file = join(place.directory, 'data/audit', 'r0-0000000000000001.audit');
  await appendFile(file, '{"chain":"r0","sequence":99');
  // The kill may have torn a line itself.
  const torn = (await readFile(file)).toString('latin1').split('\n').at(-1) ?? '';

  platform = await place.start();
  await platform.api('DELETE', `/api/v1/namespaces/${created?.event.objectRef?.name}`);
  const steps = await found(platform, `name=${created?.event.objectRef?.name}`, 2);
  t.deepEqual(steps.map(({ event }) => event.verb).slice(0, 2), ['delete', 'create']);
  t.is(await platform.stop(), 0);
  t.true((await logOf(place)).includes(`"tappaas.dev/audit-torn-bytes":"${torn.length}"`));

  const good = await place.tappaas('audit', 'verify');
  t.is(good.code, 0, good.stdout + good.stderr);
  t.regex(good.stdout, /^r0 +good: (\d+) lines, 1 to \1, vouched for up to \1/);
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.split('\n').toSpliced(1, 1).join('\n'));
  const bad = await place.tappaas('audit', 'verify');
  t.is(bad.code, 1);
  t.regex(bad.stdout, /BAD at line 2: line 2 was deleted/);
});

test('a reload takes another policy over, and the store knows how far the log was kept when the platform stopped', async (t) => {
  t.timeout(120_000);
  // With the default of 10 s, a start that takes longer than that would have signed another one before this one is asked for.
  const checkpoints = { everyMs: 3_600_000 };
  const place = await home(t, { checkpoints });
  const platform = await place.start();
  const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
  const path = '/api/v1/namespaces/default/configmaps';
  await platform.api('POST', path, map('seen'));
  const file = join(place.directory, 'tappaas.yaml');
  await writeFile(file, JSON.stringify({ ...(JSON.parse(await readFile(file, 'utf8')) as object), audit: { level: 'None', checkpoints } }));
  t.is((await platform.api('POST', '/plugins/platform/reload')).status, 200);
  await platform.api('POST', path, map('unseen'));
  t.is((await platform.api('GET', '/audit?usr=ann')).status, 400);
  const [only] = await found(platform, 'resource=configmaps&verb=create', 1);
  t.is(only?.event.objectRef?.name, 'seen');
  t.is((await search(platform, 'name=unseen')).length, 0);
  t.is(await platform.stop(), 0);
  t.notRegex(await logOf(place), /unseen/);
  const again = await place.start();
  const { text } = (await again.api('GET', '/audit/checkpoint')).json<{ readonly text: string }>();
  t.regex(text, /"final":true/);
  t.is(await again.stop(), 0);
  const log = (await logOf(place)).split('\n').length - 1;
  t.is(log, (JSON.parse(text) as { readonly sequence: number }).sequence + 2, 'a start and a stop since');
});

test('no secret, token or password comes into the audit log, whatever the policy says', async (t) => {
  t.timeout(120_000);
  const place = await home(t, { level: 'RequestResponse', omitStages: [] });
  const platform = await place.start();
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { password: canary } };
  const path = '/api/v1/namespaces/default/secrets';
  t.is((await platform.api('POST', path, secret)).status, 201);
  await platform.api('GET', path);
  await platform.api('GET', `${path}/s?token=${canary}`);
  await platform.api('PATCH', `${path}/s`, { stringData: { password: `${canary}-2` } }, 'application/merge-patch+json');
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data: { 'db-password': canary, plain: 'visible' } };
  t.is((await platform.api('POST', '/api/v1/namespaces/default/configmaps', map)).status, 201);
  await platform.api('POST', '/plugins/platform/reload', { password: canary });
  const token = /tapp_\w+/.exec(platform.output())?.[0] ?? 'none';
  t.true(token.length > 20);
  t.is(await platform.stop(), 0);
  const log = await logOf(place);
  t.regex(log, /visible/, 'bodies of what is no secret are recorded at this level');
  t.notRegex(log, new RegExp(`${canary}|${Buffer.from(canary).toString('base64')}|${token}`));
  for (const words of [
    ['search', '--directory', 'data/audit', '-o', 'json'],
    ['export', '--directory', 'data/audit'],
    ['export', '--directory', 'data/audit', '--csv'],
  ]) {
    const { stdout, code } = await place.tappaas('audit', ...words);
    t.is(code, 0);
    t.true(stdout.length > 100);
    t.notRegex(stdout, new RegExp(`${canary}|${token}`));
  }
  t.notRegex(platform.output().replace(token, ''), new RegExp(canary));
});

/** The API served by processes of its own: they agree, one may be killed, all may be replaced, and nobody notices. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { randomFrom } from '../../sdk/testing/dist/random.js';
import { toBoth } from '../pinned.ts';
import { eventually, platformHome, storeOnly, type PlatformProcess } from '../platform-process.ts';
import { printedToken } from '../printed-token.ts';
import { seedOf } from '../seed.ts';
import { collection, configMap, count, follow, withWorkers, workersOf, type ConfigMap } from '../worker-load.ts';

test.serial('what one worker has written, every worker reads at once', async (t) => {
  const { platform } = await withWorkers(t);
  const senders = await Promise.all(toBoth(t, platform.connection).map((worker) => worker.sender()));
  for (let round = 0; round < 40; round += 1) {
    const path = `${collection}/same`;
    const written =
      round === 0
        ? await platform.api('POST', collection, configMap('same', '0'))
        : await platform.api('PATCH', path, { data: { value: String(round) } }, 'application/merge-patch+json');
    t.true(written.status < 300, written.text);
    const read = await Promise.all(senders.map((send) => send<ConfigMap>('GET', path)));
    t.deepEqual(
      read.map(({ data }) => data.value),
      [String(round), String(round)],
    );
  }
});

/** Waits until each was written often enough to say something, however slow the machine is. */
async function countedBeyond(platform: PlatformProcess, names: readonly string[], least: number): Promise<void> {
  const value = async (name: string): Promise<number> =>
    Number((await platform.api('GET', `${collection}/${name}`)).json<ConfigMap>().data.value);
  await eventually(
    () => Promise.all(names.map(value)),
    (values) => values.every((each) => each > least),
  );
}

test.serial('kill -9 of a worker under load loses nothing acknowledged, and watches go on without a gap', async (t) => {
  const { home, platform } = await withWorkers(t);
  let isOver = false;
  const seen = new Map<string, number>();
  const { resourceVersion } = (await platform.api('GET', collection)).json<{ metadata: { resourceVersion: string } }>().metadata;
  const following = follow(
    home,
    resourceVersion,
    seen,
    () => isOver && [...written].every(([name, value]) => (seen.get(name) ?? -1) >= value),
  );
  const written = new Map<string, number>();
  const names = ['a', 'b', 'c', 'd'];
  for (const name of names) await platform.api('POST', collection, configMap(name, '0'));
  const counting = names.map(async (name) => {
    const value = await count(
      platform,
      name,
      () => isOver,
      () => undefined,
    );
    written.set(name, value);
  });
  for (let round = 0; round < 3; round += 1) {
    const [victim] = await eventually(
      () => workersOf(platform),
      (pids) => pids.length === 2,
    );
    await eventually(
      async () => platform.output().split('is started again').length - 1,
      (ended) => ended === round,
    );
    process.kill(victim ?? 0, 'SIGKILL');
    await eventually(
      () => workersOf(platform),
      (pids) => pids.length === 2 && !pids.includes(victim ?? 0),
    );
  }
  await countedBeyond(platform, names, 2);
  isOver = true;
  await Promise.all(counting);
  t.deepEqual(await following, []);
  for (const name of names) {
    const found = (await platform.api('GET', `${collection}/${name}`)).json<ConfigMap>();
    t.is(written.get(name), Number(found.data.value));
    t.true((written.get(name) ?? 0) > 2, `${name} was written ${written.get(name)} times`);
  }
});

test.serial('whatever is killed, frozen and replaced in whatever order, nothing acknowledged is lost and no event is missed', async (t) => {
  const { home, platform } = await withWorkers(t);
  t.timeout(4 * 60_000);
  let isOver = false;
  const random = randomFrom(seedOf(t));
  const pick = (below: number): number => Math.floor(random() * below);
  const names = ['a', 'b', 'c', 'd'];
  const { resourceVersion } = (await platform.api('GET', collection)).json<{ metadata: { resourceVersion: string } }>().metadata;
  for (const name of names) await platform.api('POST', collection, configMap(name, '0'));
  const written = new Map<string, number>();
  const seen = [new Map<string, number>(), new Map<string, number>()];
  const isSeen = (by: Map<string, number>) => [...written].every(([name, value]) => (by.get(name) ?? -1) >= value);
  let isBroken = false;
  t.teardown(() => void (isBroken = isOver = true));
  const isDone = (by: Map<string, number>) => isBroken || (isOver && written.size === names.length && isSeen(by));
  const following = seen.map((by) => follow(home, resourceVersion, by, () => isDone(by)));
  const ignore = (): void => undefined;
  const counting = names.map(async (name) => written.set(name, await count(platform, name, () => isOver, ignore)));
  const failed = Promise.race([...counting, ...following]);
  failed.catch(() => undefined);
  const pause = (ms: number) => new Promise((again) => setTimeout(again, ms));
  const signal = (pid: number | undefined, what: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void => {
    try {
      if (pid !== undefined) process.kill(pid, what);
    } catch {
      // It has ended by itself.
    }
  };
  const actions: Readonly<Record<string, () => Promise<unknown>>> = {
    kill: async () => signal((await workersOf(platform))[pick(2)], 'SIGKILL'),
    killAll: async () => (await workersOf(platform)).forEach((pid) => signal(pid, 'SIGKILL')),
    replace: async () => platform.api('POST', '/plugins/platform/replace-workers').catch(ignore),
    async freeze() {
      const pid = (await workersOf(platform))[pick(2)];
      signal(pid, 'SIGSTOP');
      await pause(100 + pick(1_500));
      signal(pid, 'SIGCONT');
    },
  };
  for (let round = 0; round < 14; round += 1) {
    const [what, action] = Object.entries(actions)[pick(4)] ?? [];
    t.log(what);
    await Promise.race([action?.(), failed]);
    await pause(pick(2_500));
  }
  // Replacements that were asked for go on for a while; then there are two workers and no more.
  const settled = await eventually(
    async () => {
      const before = await workersOf(platform);
      await pause(3_000);
      return [before, await workersOf(platform)];
    },
    ([before, after]) => before?.length === 2 && before.join() === after?.join(),
    90_000,
  );
  t.is(settled.length, 2);
  await countedBeyond(platform, names, 10);
  isOver = true;
  await Promise.all(counting);
  t.deepEqual(await Promise.all(following), [[], []]);
  for (const name of names) {
    const found = (await platform.api('GET', `${collection}/${name}`)).json<ConfigMap>();
    t.is(written.get(name), Number(found.data.value));
    t.true((written.get(name) ?? 0) > 10, `${name} was written ${written.get(name)} times`);
  }
});

test.serial('all workers are replaced one after the other under load, and no request fails', async (t) => {
  const { platform } = await withWorkers(t);
  const before = await workersOf(platform);
  let isOver = false;
  const failures: string[] = [];
  const names = ['a', 'b', 'c'];
  for (const name of names) await platform.api('POST', collection, configMap(name, '0'));
  const counting = names.map((name) =>
    count(
      platform,
      name,
      () => isOver,
      (error) => failures.push(error.message),
    ),
  );
  const answer = await platform.api('POST', '/plugins/platform/replace-workers');
  t.deepEqual(answer.json(), { replacing: 2 });
  await eventually(
    () => workersOf(platform),
    (pids) => pids.length === 2 && pids.every((pid) => !before.includes(pid)),
  );
  await countedBeyond(platform, names, 2);
  isOver = true;
  const values = await Promise.all(counting);
  t.deepEqual(failures, []);
  t.true(values.every((value) => value > 2));
});

test.serial('a changed configuration reaches every worker', async (t) => {
  const { home, platform } = await withWorkers(t);
  const file = join(home.directory, 'tappaas.yaml');
  const configuration = JSON.parse(await readFile(file, 'utf8')) as { plugins: Record<string, object> };
  configuration.plugins['applications'] = { use: '@tappaas/controller-application' };
  await writeFile(file, JSON.stringify(configuration));
  const approved = await home.tappaas('plugins', 'approve', 'applications');
  t.is(approved.code, 0, approved.stderr);
  const reloaded = await platform.api('POST', '/plugins/platform/reload');
  t.like(reloaded.json(), { outcome: 'applied', added: ['applications'] }, reloaded.text);
  const received = await eventually(
    async () =>
      (await platform.api('GET', '/api/v1/namespaces/default/events?fieldSelector=reason=Reloaded')).json<{ items: object[] }>().items,
    (items) => items.length > 0,
  );
  t.like(received, [
    {
      involvedObject: { kind: 'Platform' },
      message: 'configuration taken over; added: applications, removed: none, turned off: none, restarted: none',
      count: 1,
    },
  ]);
  const lists = await Promise.all([1, 2, 3, 4].map(() => platform.api('GET', '/apis/apps.tappaas.dev/v1alpha1/applications')));
  t.deepEqual(
    lists.map(({ status }) => status),
    [200, 200, 200, 200],
  );
});

test.serial('the metrics of all processes stand on one page', async (t) => {
  const { platform } = await withWorkers(t);
  const { text } = await platform.api('GET', '/metrics');
  for (const process of ['primary', 'w1', 'w2']) t.regex(text, new RegExp(`process_resident_memory_bytes\\{process="${process}"\\} \\d+`));
  t.is(text.split('# TYPE process_resident_memory_bytes').length, 2);
});

test.serial('a token that is revoked is refused by every worker at once, not when they have forgotten it', async (t) => {
  t.timeout(2 * 60_000);
  const home = await platformHome({ plugins: { ...storeOnly, tokens: { use: '@tappaas/identity-token' } }, api: { workers: 2 } });
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const made = await home.tappaas('token', 'create', 'ci', '--user', 'ci', '--no-tenant', '--groups', 'ci', '--expires', '12h');
  const token = printedToken(made);
  const senders = await Promise.all(toBoth(t, { ...platform.connection, token }).map((worker) => worker.sender()));
  for (const send of senders) await t.notThrowsAsync(send('GET', '/version'));
  const revoked = await home.tappaas('token', 'revoke', 'ci');
  t.is(revoked.code, 0, revoked.stderr);
  for (const send of senders) await t.throwsAsync(send('GET', '/version'), { message: /: 401 / });
});

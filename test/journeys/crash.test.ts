/** SIGKILL at random points of a stream of writes: nothing acknowledged is lost, nothing half done stays, everything converges. */
import test from 'ava';
import { randomFrom } from '../../sdk/testing/dist/random.js';
import { eventually, platformHome, storeOnly, type ApiAnswer, type PlatformProcess } from '../platform-process.ts';
import { seedOf } from '../seed.ts';

const rounds = Number(process.env['TAPPAAS_CRASH_ROUNDS'] ?? 50);
const operationsPerRound = 200;
const writersMax = 4;
const names = 40;
const collection = '/api/v1/namespaces/default/configmaps';

/** What a name may hold: the value last acknowledged, and what was under way when the platform was killed. */
interface Belief {
  /** Nothing: the object does not exist. */
  acknowledged: string | undefined;
  /** Writes whose answer never came; each may have happened or not. */
  readonly open: Set<string | undefined>;
}

class Model {
  readonly expected = new Map<string, Belief>();

  of(name: string): Belief {
    const known = this.expected.get(name) ?? { acknowledged: undefined, open: new Set() };
    this.expected.set(name, known);
    return known;
  }

  /** What is found now is the truth from here on. @returns a sentence when it cannot be */
  settle(name: string, found: string | undefined): string | undefined {
    const belief = this.of(name);
    const possible = [belief.acknowledged, ...belief.open];
    belief.acknowledged = found;
    belief.open.clear();
    return possible.includes(found)
      ? undefined
      : `${name} is ${found ?? 'absent'}; acknowledged or under way: ${possible.map((each) => each ?? 'absent').join(', ')}`;
  }
}

/** One write of a name; its outcome goes into the model only when the answer came. */
async function write(platform: PlatformProcess, model: Model, name: string, value: string | undefined): Promise<void> {
  const belief = model.of(name);
  belief.open.add(value);
  const answer = await send(platform, name, value, belief.acknowledged !== undefined);
  const refused = answer.status === 404 || answer.status === 409;
  belief.open.delete(value);
  if (answer.status < 300) belief.acknowledged = value;
  else if (!refused) throw new Error(`${name}: the platform answered ${answer.status}: ${answer.text}`);
}

function send(platform: PlatformProcess, name: string, value: string | undefined, exists: boolean): Promise<ApiAnswer> {
  if (value === undefined) return platform.api('DELETE', `${collection}/${name}`);
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { crash: 'yes' } }, data: { value } };
  return exists ? platform.api('PUT', `${collection}/${name}`, body) : platform.api('POST', collection, body);
}

/** Writes until the kill makes requests fail; names are divided among writers, so that each name has one write at a time. */
async function writeUntilKilled(platform: PlatformProcess, model: Model, random: () => number, round: number): Promise<void> {
  let left = operationsPerRound;
  const writer = async (index: number) => {
    while (left > 0) {
      left -= 1;
      const name = `c-${index + writersMax * Math.floor(random() * (names / writersMax))}`;
      const isDelete = model.of(name).acknowledged !== undefined && random() < 0.3;
      try {
        await write(platform, model, name, isDelete ? undefined : `${round}-${left}`);
      } catch (error) {
        if (platform.child.killed || platform.child.exitCode !== null || platform.child.signalCode !== null) return;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: writersMax }, (_, index) => writer(index)));
}

test('kill -9 at random points of 200 writes loses nothing acknowledged, round after round', async (t) => {
  t.timeout(20 * 60_000);
  const random = randomFrom(seedOf(t));
  const home = await platformHome({ plugins: { ...storeOnly, metrics: null } });
  t.teardown(() => home.remove());
  const model = new Model();
  let platform = await home.start();
  for (let round = 0; round < rounds; round += 1) {
    const writing = writeUntilKilled(platform, model, random, round);
    await new Promise((soon) => setTimeout(soon, random() * 250));
    await platform.kill();
    await writing;
    platform = await home.start();
    const listed = (await platform.api('GET', `${collection}?labelSelector=crash%3Dyes`)).json<{
      items: { metadata: { name: string }; data: { value: string } }[];
    }>();
    const found = new Map(listed.items.map(({ metadata, data }) => [metadata.name, data.value]));
    const faults = [...new Set([...model.expected.keys(), ...found.keys()])].flatMap((name) => model.settle(name, found.get(name)) ?? []);
    t.deepEqual(faults, [], `round ${round}`);
  }
  await platform.stop();
});

test('applications that were being created, changed and deleted when the platform was killed converge after its restart', async (t) => {
  t.timeout(10 * 60_000);
  const random = randomFrom(seedOf(t));
  const home = await platformHome();
  t.teardown(() => home.remove());
  const path = '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/applications';
  const application = (name: string, replicas: number) => ({
    apiVersion: 'apps.tappaas.dev/v1alpha1',
    kind: 'Application',
    metadata: { name },
    spec: { source: { image: 'process' }, processes: [{ name: 'web', replicas, command: ['node', '-e', 'setInterval(() => {}, 1000)'] }] },
  });
  const wished = new Map<string, number>();
  let platform = await home.start();
  t.teardown(() => platform.stop());
  for (let round = 0; round < 5; round += 1) {
    const writing = (async () => {
      for (let step = 0; step < 12; step += 1) {
        const name = `a-${Math.floor(random() * 6)}`;
        const replicas = 1 + Math.floor(random() * 2);
        const isDelete = wished.has(name) && random() < 0.3;
        const answer = isDelete
          ? await platform.api('DELETE', `${path}/${name}`)
          : await platform.api(
              'PATCH',
              `${path}/${name}?fieldManager=crash&force=true`,
              application(name, replicas),
              'application/apply-patch+yaml',
            );
        if (answer.status >= 300) continue;
        if (isDelete) wished.delete(name);
        else wished.set(name, replicas);
      }
    })().catch(() => undefined);
    await new Promise((soon) => setTimeout(soon, 200 + random() * 1200));
    await platform.kill();
    await writing;
    platform = await home.start();
    const stored = (await platform.api('GET', path)).json<{
      items: {
        metadata: { name: string; generation: number; deletionTimestamp?: string };
        spec: { processes: { replicas: number }[] };
        status: { operation: string };
      }[];
    }>();
    for (const { metadata, status } of stored.items.filter((each) => each.metadata.deletionTimestamp === undefined)) {
      const operation = await platform.api('GET', `/apis/ops.tappaas.dev/v1alpha1/namespaces/default/operations/${status.operation}`);
      const { target } = operation.json<{ spec: { target: { generation: number } } }>().spec;
      t.is(target.generation, metadata.generation, 'object and Operation are written together');
    }
    wished.clear();
    for (const { metadata, spec } of stored.items)
      if (!metadata.deletionTimestamp) wished.set(metadata.name, spec.processes[0]?.replicas ?? 0);
  }
  const replicasWished = [...wished.values()].reduce((sum, replicas) => sum + replicas, 0);
  await eventually(
    async () => ({
      applications: (await platform.api('GET', path)).json<{
        items: { metadata: { name: string }; status?: { conditions?: { type: string; status: string }[] } }[];
      }>().items,
      pods: (await platform.api('GET', '/clusters/local/api/v1/pods')).json<{ items: { status?: { phase?: string } }[] }>().items,
      deployments: (await platform.api('GET', '/clusters/local/apis/apps/v1/deployments')).json<{ items: unknown[] }>().items,
    }),
    ({ applications, pods, deployments }) =>
      applications.length === wished.size &&
      deployments.length === wished.size &&
      pods.length === replicasWished &&
      applications.every(({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')),
    120_000,
  );
  t.pass();
});

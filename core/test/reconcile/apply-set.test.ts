import test from 'ava';
import type { KubernetesObject } from '@tappaas/sdk';
import { installationLabel, ownerLabel } from '../../dist/reconcile/inventory.js';
import { refOf } from '../../dist/reconcile/object-ref.js';
import { seededRandom } from '../virtual-clock.ts';
import { FakeCluster } from './fake-cluster.ts';
import { configMap, deployment, setUp } from './apply-set-fixture.ts';

const drifts: Record<string, (object: Record<string, unknown> & KubernetesObject) => void> = {
  'a changed value': (object) => Object.assign(object['spec'] as object, { replicas: 5 }),
  'a changed value in a list': (object) => {
    const { template } = object['spec'] as { template: { spec: { containers: { image: string }[] } } };
    for (const container of template.spec.containers) container.image = 'evil';
  },
  'a removed list item': (object) => {
    const { template } = object['spec'] as { template: { spec: { containers: object[] } } };
    template.spec.containers = [];
  },
  'a removed label': (object) => (object.metadata.labels = {}),
  'a changed quantity': (object) => {
    const { template } = object['spec'] as { template: { spec: { containers: { resources: object }[] } } };
    for (const container of template.spec.containers) container.resources = { requests: { cpu: '1', memory: '2Gi' } };
  },
  'fields of ours that another manager took over': (object) => {
    for (const entry of object.metadata.managedFields ?? []) entry.fieldsV1 = { 'f:spec': { 'f:replicas': {} } };
  },
  'fields that we own without wishing them': (object) => {
    for (const entry of object.metadata.managedFields ?? []) {
      const fields = entry.fieldsV1 as { 'f:spec': object };
      entry.fieldsV1 = { ...fields, 'f:spec': { ...fields['f:spec'], 'f:paused': {} } };
    }
  },
  'an entry of ours made by an update': (object) => {
    for (const entry of object.metadata.managedFields ?? []) entry.operation = 'Update';
  },
  'lost managed fields': (object) => delete object.metadata.managedFields,
};

const migrate = (name = 'migrate'): KubernetesObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace: 'shop', annotations: { 'tappaas.dev/release-task': 'true' } },
  spec: { backoffLimit: 0 },
});
const endJob = (cluster: FakeCluster, type: 'Complete' | 'Failed') =>
  cluster.edit(refOf(migrate()), (job) => {
    job['status'] = { conditions: [{ type, status: 'True', message: 'exit code 1' }] };
  });

test('the inventory names every object before the first apply, and its uid after it', async (t) => {
  const { cluster, state, run, log } = setUp();
  cluster.beforeWrite = (what) => {
    t.true(state.inventory.length === 2, `${what} came before the inventory`);
    log.push(what);
  };
  const result = await run([deployment('web'), configMap('settings')]);
  t.true(result.isComplete);
  t.deepEqual(log, ['save web?,settings?', 'apply ConfigMap shop/settings', 'apply Deployment shop/web', 'save web,settings']);
  t.true(state.inventory.every(({ uid, intentHash }) => uid !== undefined && intentHash !== undefined));
});

test('nothing is applied when the inventory cannot be written', async (t) => {
  const { cluster, run } = setUp();
  await t.throwsAsync(run([configMap('a')], { saveInventory: () => Promise.reject(new Error('store is down')) }), {
    message: 'store is down',
  });
  t.deepEqual(cluster.writes, []);
});

test('every object carries the installation and its owner', async (t) => {
  const { cluster, run } = setUp();
  await run([deployment('web')]);
  t.deepEqual(cluster.at(refOf(deployment('web')))?.metadata.labels, { app: 'web', [installationLabel]: 'inst-1', [ownerLabel]: 'app-1' });
});

test('a second run with nothing changed writes nothing, to the cluster or the inventory', async (t) => {
  const { cluster, state, run } = setUp();
  const rendered = [deployment('web'), configMap('settings')];
  await run(rendered);
  cluster.writes.length = 0;
  state.saves = 0;
  const result = await run(rendered);
  t.is(result.skipped, 2);
  t.true(result.isComplete);
  t.deepEqual(cluster.writes, []);
  t.is(state.saves, 0);
});

for (const [name, drift] of Object.entries(drifts)) {
  test(`${name} is seen as drift and repaired, once`, async (t) => {
    const { cluster, run } = setUp();
    await run([deployment('web')]);
    cluster.edit(refOf(deployment('web')), drift);
    cluster.writes.length = 0;
    t.is((await run([deployment('web')])).applied.length, 1);
    t.is((await run([deployment('web')])).applied.length, 0);
    t.deepEqual(cluster.writes, ['apply Deployment shop/web']);
  });
}

test('an intent that changed is applied, also when the live object happens to have it already', async (t) => {
  const { cluster, state, run } = setUp();
  await run([deployment('web')]);
  state.inventory = state.inventory.map((entry) => ({ ...entry, intentHash: 'sha256:other' }));
  cluster.writes.length = 0;
  await run([deployment('web')]);
  t.deepEqual(cluster.writes, ['apply Deployment shop/web']);
});

test('what is wished no longer is deleted after everything was applied, in reverse order', async (t) => {
  const { cluster, state, run } = setUp();
  await run([deployment('web'), configMap('settings'), configMap('old')]);
  cluster.writes.length = 0;
  const result = await run([configMap('new')]);
  t.deepEqual(cluster.writes, [
    'apply ConfigMap shop/new',
    'delete Deployment shop/web',
    'delete ConfigMap shop/settings',
    'delete ConfigMap shop/old',
  ]);
  t.true(result.isComplete);
  t.deepEqual(
    state.inventory.map(({ name }) => name),
    ['new'],
  );
});

test('an object that takes its time to go stays in the inventory until it is gone', async (t) => {
  const { cluster, state, run } = setUp();
  await run([configMap('a')]);
  cluster.holdsDeletions = true;
  const first = await run([]);
  t.false(first.isComplete);
  t.deepEqual(
    first.leaving.map(({ name }) => name),
    ['a'],
  );
  t.is(state.inventory.length, 1);
  cluster.writes.length = 0;
  t.false((await run([])).isComplete);
  t.deepEqual(cluster.writes, [], 'it is not deleted twice');
  cluster.finish();
  t.true((await run([])).isComplete);
  t.deepEqual(state.inventory, []);
});

test('an object that is wished while it is on its way out is made anew once it is gone', async (t) => {
  const { cluster, run } = setUp();
  await run([configMap('a')]);
  cluster.holdsDeletions = true;
  await run([]);
  cluster.writes.length = 0;
  const waiting = await run([configMap('a')]);
  t.false(waiting.isComplete);
  t.deepEqual(cluster.writes, []);
  cluster.finish();
  t.true((await run([configMap('a')])).isComplete);
  t.deepEqual(cluster.names, ['ConfigMap shop/a']);
});

test('a failed apply holds back what comes after it, and nothing is pruned', async (t) => {
  const { cluster, state, run } = setUp();
  await run([configMap('old')]);
  cluster.writes.length = 0;
  cluster.beforeWrite = (what) => {
    if (what.includes('settings')) throw new Error('quota exceeded');
  };
  const result = await run([deployment('web'), configMap('settings'), configMap('other')]);
  t.deepEqual(cluster.writes, ['apply ConfigMap shop/other']);
  t.deepEqual(
    result.failed.map(({ ref }) => ref.name),
    ['settings'],
  );
  t.true(cluster.names.includes('ConfigMap shop/old'));
  t.true(state.inventory.some(({ name }) => name === 'old'));
});

test('configuration and services come before workloads, which come before routes', async (t) => {
  const { cluster, run } = setUp();
  const of = (apiVersion: string, kind: string): KubernetesObject => ({ apiVersion, kind, metadata: { name: 'x', namespace: 'shop' } });
  const rendered = [
    of('networking.k8s.io/v1', 'Ingress'),
    deployment('x'),
    of('v1', 'Service'),
    of('example.dev/v1', 'Widget'),
    of('v1', 'Secret'),
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
    of('v1', 'ServiceAccount'),
  ];
  await run(rendered);
  const kinds = ['Namespace', 'ServiceAccount', 'Secret', 'Service', 'Widget', 'Deployment', 'Ingress'];
  t.deepEqual(
    cluster.writes.map((write) => write.split(' ')[1]),
    kinds,
  );
  cluster.writes.length = 0;
  await run([]);
  t.deepEqual(
    cluster.writes.map((write) => write.split(' ')[1]),
    kinds.toReversed(),
  );
});

test('a crash after the first save leaves nothing that a later run does not know', async (t) => {
  const { cluster, state, run } = setUp();
  const stop = new AbortController();
  cluster.beforeWrite = (what) => {
    if (what.includes('Deployment')) {
      stop.abort(new Error('killed'));
      throw new Error('killed');
    }
  };
  await t.throwsAsync(run([deployment('web'), configMap('settings')], { signal: stop.signal }), { message: 'killed' });
  t.deepEqual(cluster.names, ['ConfigMap shop/settings']);
  t.true(
    state.inventory.every(({ uid }) => uid === undefined),
    'the crash came before the uids were known',
  );
  cluster.beforeWrite = () => {};
  const result = await run([]);
  t.true(result.isComplete);
  t.deepEqual(cluster.names, [], 'found by its labels, deleted by its uid');
  t.deepEqual(state.inventory, []);
});

test('no more than parallelMax requests are made at once', async (t) => {
  const { cluster, run } = setUp();
  let now = 0;
  let most = 0;
  const find = cluster.find.bind(cluster);
  cluster.find = async (ref) => {
    most = Math.max(most, (now += 1));
    await new Promise((resolve) => setImmediate(resolve));
    now -= 1;
    return find(ref);
  };
  await run(
    Array.from({ length: 30 }, (_, n) => configMap(`map-${n}`)),
    { parallelMax: 4 },
  );
  t.is(most, 4);
});

for (const seed of [1, 2, 3]) {
  test(`after any sequence of crashes, conflicts and foreign hands, the cluster has exactly what is wished (seed ${seed})`, async (t) => {
    const random = seededRandom(seed);
    const { cluster, state, run } = setUp();
    const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
    const all = ['a', 'b', 'c', 'd', 'e'];
    let wished: KubernetesObject[] = [];
    for (let n = 0; n < 150; n += 1) {
      if (random() < 0.5) {
        wished = all
          .filter(() => random() < 0.5)
          .map((name) => (random() < 0.3 ? deployment(name) : configMap(name, { v: String(Math.floor(random() * 3)) })));
      }
      cluster.holdsDeletions = random() < 0.2;
      const stop = new AbortController();
      const crashAt = random() < 0.3 ? Math.floor(random() * 5) : Infinity;
      let writes = 0;
      cluster.beforeWrite = () => {
        if ((writes += 1) > crashAt) {
          stop.abort(new Error('killed'));
          throw new Error('killed');
        }
        const entry = random() < 0.2 ? pick(state.inventory) : undefined;
        const victim = entry && cluster.at(entry);
        if (victim) cluster.edit(refOf(victim), (object) => (object.metadata.annotations = { n: String(n) }));
      };
      await run(wished, { signal: stop.signal }).catch(() => {});
      if (random() < 0.3) cluster.finish();
      for (const object of cluster.names) {
        const known = state.inventory.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`);
        if (!known.includes(object)) t.fail(`${object} is in no inventory`);
      }
    }
    cluster.beforeWrite = () => {};
    cluster.holdsDeletions = false;
    for (let n = 0; n < 3; n += 1) {
      cluster.finish();
      await run(wished);
    }
    t.deepEqual(cluster.names, wished.map((object) => `${object.kind} shop/${object.metadata.name}`).toSorted());
    cluster.writes.length = 0;
    t.true((await run(wished)).isComplete);
    t.deepEqual(cluster.writes, []);
  });
}

test('what serves is touched, and pruned, only once every release task has succeeded', async (t) => {
  const { cluster, run } = setUp();
  await run([configMap('old'), deployment('web', 'web:1')]);
  const next = [deployment('web', 'web:2'), configMap('settings'), migrate()];
  const waiting = await run(next);
  t.deepEqual(waiting.held, { state: 'waiting', message: 'release task Job shop/migrate has not succeeded yet' });
  t.false(waiting.isComplete);
  t.deepEqual(cluster.names, ['ConfigMap shop/old', 'ConfigMap shop/settings', 'Deployment shop/web', 'Job shop/migrate']);
  const imageOf = () => JSON.stringify(cluster.at(refOf(deployment('web')))?.['spec']);
  t.regex(imageOf(), /web:1/);
  endJob(cluster, 'Complete');
  const done = await run(next);
  t.true(done.isComplete);
  t.is(done.held, undefined);
  t.regex(imageOf(), /web:2/);
  t.deepEqual(cluster.names, ['ConfigMap shop/settings', 'Deployment shop/web', 'Job shop/migrate']);
});

test('a release task that failed is told with its reason, and holds everything back', async (t) => {
  const { cluster, run } = setUp();
  await run([migrate(), deployment('web')]);
  endJob(cluster, 'Failed');
  const { held } = await run([migrate(), deployment('web')]);
  t.deepEqual(held, { state: 'failed', message: 'release task Job shop/migrate failed: exit code 1' });
  t.deepEqual(cluster.names, ['Job shop/migrate']);
});

test('what shall be kept stays on the cluster and in the inventory, until nobody keeps it', async (t) => {
  const { cluster, state, run } = setUp();
  await run([migrate(), configMap('a')]);
  await run([configMap('a')], { keeps: ({ kind }) => kind === 'Job' });
  t.deepEqual(cluster.names, ['ConfigMap shop/a', 'Job shop/migrate']);
  t.deepEqual(state.inventory.map(({ name }) => name).toSorted(), ['a', 'migrate']);
  await run([configMap('a')]);
  t.deepEqual(cluster.names, ['ConfigMap shop/a']);
});

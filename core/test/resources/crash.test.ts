import test from 'ava';
import { createAdmission } from '../../dist/admission/admission.js';
import { createWorkQueue } from '../../dist/queue/work-queue.js';
import { redacted, restored } from '../../dist/resources/redaction.js';
import { createMemoryStore } from '../../dist/store/memory-store.js';
import { fakeDispatch } from '../admission/fake-dispatch.ts';
import { seededRandom, settled, VirtualClock } from '../virtual-clock.ts';
import { dyingStore } from './dying-store.ts';
import {
  configMap,
  configMaps,
  namespaces,
  objectOf,
  startEngine,
  widget,
  widgets,
  type Fixture,
  type TestObject,
} from './engine-fixture.ts';

const denial = { field: 'spec.color', reason: 'Taken', message: 'taken' };
const admission = createAdmission({
  dispatch: fakeDispatch({
    'admission.claim': [
      {
        plugin: 'claims',
        kind: 'Widget',
        run: (object) => [
          { unique: `host/${object.spec.color}`, denial },
          { counter: 'size', amount: object.spec.size, max: 10, denial },
        ],
      },
    ],
  }),
  confidentiality: { isVisibleTo: () => false, redacted, restored },
  isProjectOnly: () => false,
});

function collect({ engine, clock }: Fixture) {
  const stop = new AbortController();
  const ended = engine.collectGarbage({
    createQueue: ({ onRoom }) =>
      createWorkQueue<string>({ clock, random: seededRandom(7), backoff: { baseMs: 10, maxMs: 100, jitter: 0 }, onRoom }),
    signal: stop.signal,
  });
  return async (): Promise<void> => (stop.abort(), ended);
}

async function rest({ clock }: Fixture): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) {
    await settled();
    await clock.advance(200);
  }
}

const referenceTo = ({ apiVersion, kind, metadata }: TestObject) => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid,
  blockOwnerDeletion: true,
});

/** A life from the first namespace to the end of everything; whoever's request is not answered asks again, as clients do. */
async function live(fixture: Fixture, acknowledged: Set<string>): Promise<void> {
  const { create, remove, patch } = fixture;
  const said = async (what: string, doing: Promise<unknown>): Promise<void> => {
    await doing.catch((error: unknown) => {
      const { code } = error as { readonly code?: string };
      if (code !== 'TAP_OBJECT_EXISTS' && code !== 'TAP_OBJECT_NOT_FOUND') throw error;
    });
    acknowledged.add(what);
  };
  await said('namespace', create(namespaces, { metadata: { name: 'team' } }));
  const root = widget('root', { color: 'shop', size: 6 }, { namespace: 'team' });
  const owner = objectOf(await create(widgets, root, { idempotencyKey: 'root' }));
  acknowledged.add('root');
  for (const name of ['a', 'b']) {
    await said(name, create(configMaps, configMap(name, {}, { namespace: 'team', ownerReferences: [referenceTo(owner)] })));
  }
  await said('resized', patch(widgets, 'team/root', { spec: { size: 7 } }));
  await said('deleted', remove(widgets, 'team/root', { propagationPolicy: 'Foreground' }));
}

test('wherever the process dies, what was acknowledged stands, nothing half done stays, and everything comes to its end', async (t) => {
  for (const takesEffect of [true, false]) {
    for (let diesAt = 1; ; diesAt += 1) {
      const clock = new VirtualClock();
      const real = createMemoryStore({ clock });
      const dying = dyingStore(real, diesAt, takesEffect);
      const acknowledged = new Set<string>();
      const first = await startEngine({ store: dying.store, clock, admission }).catch(() => undefined);
      if (first) {
        const stop = collect(first);
        await live(first, acknowledged).catch(() => {});
        await rest(first);
        await stop();
        await first.engine.close();
      }
      const label = `died at ${diesAt}, ${takesEffect ? 'after' : 'before'} it took effect`;
      const second = await startEngine({ store: real, clock, admission });
      if (acknowledged.has('namespace') && !acknowledged.has('deleted')) t.true((await second.names(namespaces)).includes('team'), label);
      if (acknowledged.has('root') && !acknowledged.has('deleted')) {
        const root = await second.get(widgets, 'team/root');
        if (acknowledged.has('resized')) t.is(root.spec.size, 7, label);
      }
      if (!acknowledged.has('deleted'))
        for (const name of ['a', 'b']) if (acknowledged.has(name)) await second.get(configMaps, `team/${name}`);
      const stop = collect(second);
      await live(second, new Set());
      await rest(second);
      t.deepEqual(await second.names(widgets), [], label);
      t.deepEqual(await second.names(configMaps), [], label);
      t.is(
        (await second.create(widgets, widget('next', { color: 'shop', size: 10 }))).outcome,
        'created',
        `${label}: every claim was given back`,
      );
      await second.remove(namespaces, 'team');
      await rest(second);
      t.deepEqual(await second.names(namespaces), ['default'], label);
      await stop();
      await second.engine.close();
      if (!dying.isDead()) break;
    }
  }
});

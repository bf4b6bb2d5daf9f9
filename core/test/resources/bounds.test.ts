import type { ResourceStore } from '@tappaas/sdk';
import test from 'ava';
import { createAdmission } from '../../dist/admission/admission.js';
import { claimsMax } from '../../dist/resources/preparation.js';
import { attemptsMax } from '../../dist/resources/mutation.js';
import { pageItemsMax } from '../../dist/resources/reads.js';
import { redacted, restored } from '../../dist/resources/redaction.js';
import { textOf } from '../../dist/resources/object-text.js';
import { toStore } from '../../dist/resources/stored-object.js';
import { createMemoryStore } from '../../dist/store/memory-store.js';
import { fakeDispatch } from '../admission/fake-dispatch.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { configMap, configMaps, never, startEngine, widget, widgets } from './engine-fixture.ts';

test('a page holds so many items and says where the rest is, whatever limit was asked for', async (t) => {
  const clock = new VirtualClock();
  const store = createMemoryStore({ clock });
  const count = pageItemsMax + 1;
  const batchMax = 1_000;
  for (let start = 0; start < count; start += batchMax) {
    const changes = Array.from({ length: Math.min(batchMax, count - start) }, (_, index) => {
      const name = `c${String(start + index).padStart(6, '0')}`;
      const object = configMap(name, {}, { uid: name, creationTimestamp: '2027-01-15T08:00:00Z' }) as Parameters<typeof textOf>[0];
      return { put: `/registry/platform/core/configmaps/default/${name}`, value: toStore(textOf(object), { claims: [], attribution: [] }) };
    });
    await store.transact({ changes });
  }
  const { engine } = await startEngine({ store, clock });
  const target = { kind: configMaps, namespace: 'default' };
  const page = await engine.list({ target, limit: 1_000_000, signal: never });
  t.is(page.items.length, pageItemsMax);
  t.is(page.remainingItemCount, 1);
  const rest = await engine.list({ target, limit: 1_000_000, continueToken: page.continueToken ?? '', signal: never });
  t.is(rest.items.length, 1);
  t.is((await engine.list({ target, signal: never })).items.length, count, 'a list without a limit is whole');
});

test('an object claims so many things and no more', async (t) => {
  let claims = claimsMax;
  const admission = createAdmission({
    dispatch: fakeDispatch({
      'admission.claim': [
        {
          plugin: 'greedy',
          kind: 'Widget',
          run: (object) =>
            Array.from({ length: claims }, (_, index) => ({
              unique: `${object.metadata.name}/${index}`,
              denial: { field: '', reason: 'x', message: 'x' },
            })),
        },
      ],
    }),
    confidentiality: { isVisibleTo: () => false, redacted, restored },
    isProjectOnly: () => false,
  });
  const { create } = await startEngine({ admission });
  t.is((await create(widgets, widget('a'))).outcome, 'created');
  claims += 1;
  await t.throwsAsync(create(widgets, widget('b')), { code: 'TAP_OBJECT_CLAIMS_TOO_MUCH', message: /greedy/ });
});

/** A store in which somebody else is always faster. */
function contendedStore(store: ResourceStore, key: string, isContended: () => boolean): { store: ResourceStore; attempts: () => number } {
  let attempts = 0;
  const contended = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'transact') return (value as (...given: unknown[]) => unknown).bind(target);
      return async (transaction: Parameters<ResourceStore['transact']>[0]) => {
        const current = isContended() ? await target.get(key) : undefined;
        if (current) {
          attempts += 1;
          await target.transact({ changes: [{ put: key, value: current.value }] });
        }
        return target.transact(transaction);
      };
    },
  });
  return { store: contended, attempts: () => attempts };
}

test('a change that others keep getting ahead of is given back to its caller', async (t) => {
  const clock = new VirtualClock();
  let isContended = false;
  const key = '/registry/platform/core/configmaps/default/a';
  const { store, attempts } = contendedStore(createMemoryStore({ clock }), key, () => isContended);
  const { create, patch, remove } = await startEngine({ store, clock });
  await create(configMaps, configMap('a'));
  isContended = true;
  await t.throwsAsync(patch(configMaps, 'default/a', { data: { x: '1' } }), { code: 'TAP_REQUEST_CONTENDED' });
  t.is(attempts(), attemptsMax);
  await t.throwsAsync(remove(configMaps, 'default/a'), { code: 'TAP_REQUEST_CONTENDED' });
  isContended = false;
  t.is((await patch(configMaps, 'default/a', { data: { x: '1' } })).outcome, 'updated');
});

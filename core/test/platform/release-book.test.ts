import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import type { Resources, ResourceStore } from '@tappaas/sdk';
import { createReleaseBook } from '../../dist/platform/rendering/release-book.js';
import { contentDigest } from '../../dist/reconcile/release.js';
import { RenderingRecords } from '../../dist/platform/rendering/rendering-records.js';

const uid = 'u1';
const owner = {
  apiVersion: 'apps.tappaas.dev/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop', namespace: 'team-a', uid, resourceVersion: '1' },
};
const inputs = {};

/** A book of releases shop-1 to shop-3, and every write of theirs; of a platform that has just started at each `open`. */
function world() {
  const phases = new Map<string, string | undefined>(['shop-1', 'shop-2', 'shop-3'].map((name) => [name, undefined]));
  const writes: string[] = [];
  const resources = {
    get: async (_: unknown, { name }: { name: string }) =>
      phases.has(name)
        ? {
            metadata: { name },
            spec: { of: { uid }, number: Number(name.at(-1)), cluster: 'east', objects: [], digest: contentDigest('east', []) },
            status: { phase: phases.get(name) },
          }
        : undefined,
    patch: async (_: unknown, { name }: { name: string }, { status: { phase } }: { status: { phase: string } }) => {
      await setImmediate();
      writes.push(`${name} ${phase}`);
      phases.set(name, phase);
    },
  } as unknown as Resources;
  const values = new Map<string, Uint8Array>();
  const store = {
    get: async (key: string) => (values.has(key) ? { value: values.get(key) } : undefined),
    transact: async ({ changes }: { changes: readonly { put: string; value: Uint8Array }[] }) => {
      for (const { put, value } of changes) values.set(put, value);
      return { ok: true };
    },
  } as unknown as ResourceStore;
  const open = () =>
    createReleaseBook({
      records: new RenderingRecords(store),
      resources,
      versionOf: () => '1.0.0',
      reportSecretRead: async () => undefined,
      tell: () => undefined,
    });
  /** As a reconcile finds it: read from the store. */
  const release = (number: number) => {
    const phase = phases.get(`shop-${number}`);
    return { name: `shop-${number}`, number, objects: [], ...(phase === undefined ? {} : { phase }) };
  };
  return { open, release, writes, phases };
}

test('a release that serves is told once, with the one whose place it takes', async (t) => {
  const { open, release, writes } = world();
  for (const number of [1, 2]) {
    for (let run = 0; run < 3; run += 1) await open().noteServing?.(owner, { release: release(number), inputs });
    t.deepEqual(writes.splice(0).toSorted(), number === 1 ? ['shop-1 Serving'] : ['shop-1 Superseded', 'shop-2 Serving']);
  }
});

test('a rollout that has failed is told once, whoever looks at it again', async (t) => {
  const { open, release, writes } = world();
  for (let run = 0; run < 3; run += 1) await open().noteRefused?.(owner, release(3));
  t.deepEqual(writes, ['shop-3 Failed']);
  await open().noteServing?.(owner, { release: release(3), inputs });
  t.deepEqual(writes, ['shop-3 Failed', 'shop-3 Serving'], 'it has recovered');
});

test('a release that was deleted since keeps no other one from serving', async (t) => {
  const { open, release, writes, phases } = world();
  await open().noteServing?.(owner, { release: release(1), inputs });
  phases.delete('shop-1');
  await open().noteServing?.(owner, { release: release(2), inputs });
  t.deepEqual(writes, ['shop-1 Serving', 'shop-2 Serving']);
});

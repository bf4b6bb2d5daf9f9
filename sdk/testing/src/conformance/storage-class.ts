import assert from 'node:assert/strict';
import { families, type Immutable, type KubernetesObject, type StorageClassType } from '@tappaas/sdk';
import type { Case } from './case.js';
import type { MakePlugin } from './plugin/harness.js';
import { checkDescribed, checkPlain, providedCases } from './provided.js';

type Claimed = Immutable<KubernetesObject> & {
  readonly spec?: { readonly resources?: { readonly requests?: { readonly storage?: string } } };
};

const gibibyte = 2 ** 30;
const sizes = [1, 1_000, gibibyte, 5 * gibibyte + 1, 64 * 1024 * gibibyte];
const suffixes: Readonly<Record<string, number>> = {
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: gibibyte,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

const volume = (sizeBytes = gibibyte, name = 'data', namespace = 'shop') => ({ name, namespace, sizeBytes });

/** The conformance cases of storage classes, for any test runner. */
export function storageClassConformance(make: MakePlugin): readonly Case[] {
  return providedCases(families.storageClass, make, {
    'it describes itself, what it can and what it requires of a cluster': (storage) => {
      checkDescribed(storage);
      for (const ability of ['expand', 'snapshot', 'shared'] as const)
        assert.equal(typeof storage.can[ability], 'boolean', `can.${ability}`);
    },
    'a claim is pure: the same volume gives the same objects, plain and at once': (storage) => {
      const first = claimed(storage, volume());
      claimed(storage, volume(1, 'other', 'elsewhere'));
      assert.deepEqual(claimed(storage, volume()), first);
      checkPlain(first, 'the claim');
    },
    'every object of a claim has a kind and a name, and lies in the namespace of the volume': (storage) => {
      for (const { apiVersion, kind, metadata } of claimed(storage, volume())) {
        assert(apiVersion !== '' && kind !== '' && (metadata.name ?? '') !== '', 'an object lacks apiVersion, kind or name');
        assert.equal(metadata.namespace, 'shop', `${kind} ${metadata.name} lies elsewhere`);
      }
    },
    'two volumes never meet': (storage) => {
      const keys = [volume(), volume(gibibyte, 'data-2'), volume(gibibyte, 'data', 'blog')].flatMap((each) =>
        claimed(storage, each).map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`),
      );
      assert.equal(new Set(keys).size, keys.length, 'two volumes share an object');
    },
    'a volume claims at least the size that was asked for': (storage) => {
      for (const sizeBytes of sizes) {
        const claims = claimed(storage, volume(sizeBytes)).filter(({ kind }) => kind === 'PersistentVolumeClaim');
        assert.equal(claims.length, 1, 'expected one PersistentVolumeClaim');
        const storageText = claims[0]?.spec?.resources?.requests?.storage ?? '';
        assert(bytesOf(storageText) >= sizeBytes, `asked for ${sizeBytes} bytes, claimed ${storageText}`);
      }
    },
  });
}

function claimed(storage: StorageClassType, requested: ReturnType<typeof volume>): readonly Claimed[] {
  const objects: unknown = storage.claim(requested);
  assert(Array.isArray(objects) && objects.length > 0, 'a claim is no list of objects');
  return objects as readonly Claimed[];
}

function bytesOf(quantity: string): number {
  const [, digits = '', suffix = ''] = /^([0-9.]+)([A-Za-z]*)$/.exec(quantity) ?? [];
  return digits === '' ? Number.NaN : Number(digits) * (suffix === '' ? 1 : (suffixes[suffix] ?? Number.NaN));
}

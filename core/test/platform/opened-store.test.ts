import type { KeyedService, ResourceStore, Service } from '@tappaas/sdk';
import test from 'ava';
import type { Kernel } from '../../dist/kernel/kernel.js';
import { openedStore } from '../../dist/platform/opened-store.js';

const kernelWith = (stores: ReadonlyMap<string, unknown>, whenProvided: Promise<unknown>): Kernel =>
  ({
    services: {
      family: <T>(_family: KeyedService<T>) => stores as ReadonlyMap<string, T>,
      whenProvided: <T>(_service: Service<T>) => whenProvided as Promise<T>,
    },
  }) as Kernel;
const never = new Promise<never>(() => {});
const store = {} as ResourceStore;

test('the store is there as soon as it is open, while other plugins are starting', async (t) => {
  t.is(await openedStore(kernelWith(new Map(), Promise.resolve(store)), never), store);
});

test('a start that is over without a store ends with an error instead of waiting for one', async (t) => {
  const error = await t.throwsAsync(openedStore(kernelWith(new Map(), never), Promise.resolve()));
  t.like(error, { code: 'TAP_STORE_ABSENT', message: 'all plugins have started, and none of them provides tappaas/store' });
});

test('why plugins did not start is what is told', async (t) => {
  const failed = Promise.reject(new Error('the disk is full'));
  await t.throwsAsync(openedStore(kernelWith(new Map(), never), failed), { message: 'the disk is full' });
});

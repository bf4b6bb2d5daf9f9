import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { storeConformance, type MakeStore } from '../../../sdk/testing/dist/conformance/store.js';
import { VirtualClock } from '../../../sdk/testing/dist/virtual-clock.js';
import { openSqliteStore } from '../dist/store.js';

const make: MakeStore = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-store-'));
  const clock = new VirtualClock();
  let store = await openSqliteStore({ directory, clock });
  return {
    store,
    advance: (ms) => clock.advance(ms),
    reopen: async () => {
      await store.close();
      store = await openSqliteStore({ directory, clock });
      return store;
    },
    dispose: async () => {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
};

for (const { title, run } of storeConformance(make)) test.serial(title, (t) => t.notThrowsAsync(run));

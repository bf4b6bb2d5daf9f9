import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResourceStore } from '@tappaas/sdk';
import { VirtualClock } from '../../../sdk/testing/dist/virtual-clock.js';
import { openSqliteStore, type SqliteStoreOptions } from '../dist/store.js';

/** A store with its own directory. */
export interface SqliteHarness {
  readonly directory: string;
  readonly clock: VirtualClock;
  readonly store: ResourceStore;
  readonly advance: (ms: number) => Promise<void>;
  readonly reopen: () => Promise<ResourceStore>;
  readonly dispose: () => Promise<void>;
}

type Open = (options: SqliteStoreOptions) => Promise<ResourceStore>;

/** Opens a new store; `open` may come from another build. */
export async function sqliteHarness(options: Partial<SqliteStoreOptions> = {}, open: Open = openSqliteStore): Promise<SqliteHarness> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'tappaas-store-')));
  const clock = new VirtualClock();
  let store = await open({ clock, ...options, directory });
  return {
    directory,
    clock,
    store,
    advance: (ms) => clock.advance(ms),
    reopen: async () => {
      await store.close();
      store = await open({ clock, ...options, directory });
      return store;
    },
    dispose: async () => {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The number of rounds: `long` in the long run (`TAPPAAS_LONG=1`), otherwise `usual`, which is fast enough for every change. */
export function rounds(usual: number, long: number): number {
  return process.env['TAPPAAS_LONG'] === '1' ? long : usual;
}

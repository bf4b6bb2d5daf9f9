import { definePlugin, families, isTapError, Type, type ResourceStore } from '@tappaas/sdk';
import { openSqliteStore } from './store.js';

const config = Type.Object({
  directory: Type.String({
    default: './data/store',
    description: 'Directory of the database file; created if absent, readable only by its owner, used by one process at a time.',
  }),
  checkpointBytes: Type.Integer({
    default: 4_194_304,
    minimum: 65_536,
    maximum: 268_435_456,
    description: 'Approximate size of the write-ahead log at which it is copied into the database file, bytes.',
  }),
});

/** How long superseded revisions are kept: long enough for watchers to resume, short enough to keep the file small. */
const historyMs = 5 * 60_000;

/** Stores the platform's state in one SQLite file: durable, embedded, nothing to install. */
export default definePlugin({
  id: 'store-sqlite',
  stability: 'beta',
  config,
  example: {},
  setup(host, { directory, checkpointBytes }) {
    let store: ResourceStore | undefined;
    let compactTo = 0;
    host.provide(
      families.store,
      async ({ clock }) => (store = await openSqliteStore({ directory, clock, checkpointBytes })),
      (opened) => opened.close(),
    );
    host.task({
      name: 'compaction',
      on: 'leader',
      everyMs: historyMs,
      async run() {
        const reached = compactTo;
        compactTo = (await store?.currentRevision()) ?? 0;
        if (reached === 0) return;
        await store?.compact(reached).catch((error: unknown) => {
          if (!isTapError(error, 'TAP_STORE_COMPACTED')) throw error;
        });
      },
    });
  },
});
